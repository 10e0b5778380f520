/**
 * Keeps a screen on the wall going: the display awake, and the session of an account that can only look.
 *
 * Whoever may change something is signed out when nobody is there, on a wall too: anybody who walks by could use it. An
 * account without any such permission has nothing to misuse; for it an open wall counts as use. Its session still ends
 * after its life (`TWIN_SESSION_LIFE`). No key or token is ever part of the address.
 */
import { useEffect } from "react";
import { get } from "../../api/client";
import { useMe } from "../session";

const ACTIVE = "twin.active"; // what the idle watch of all tabs reads (access/idle.tsx)

export const onlyLooks = (me: { permissions: readonly string[] }): boolean => me.permissions.length > 0 && me.permissions.every((one) => one.endsWith(".read"));

export function useKeptAlive(): void {
  const me = useMe();
  const lasts = onlyLooks(me);
  const idle = me.idle_seconds;
  useEffect(() => {
    if (!lasts || !idle) return;
    const use = (): void => {
      try {
        localStorage.setItem(ACTIVE, String(Date.now()));
      } catch {
        // Private mode: the idle watch cannot be told; it signs out.
      }
      void get("/session").catch(() => undefined);
    };
    use();
    const timer = setInterval(use, Math.max(1000, Math.min(60_000, (idle * 1000) / 4)));
    return () => clearInterval(timer);
  }, [lasts, idle]);
}

/** The display does not go dark; the lock is lost whenever the page is hidden, and asked for again. */
export function useAwake(): void {
  useEffect(() => {
    let lock: WakeLockSentinel | null = null;
    let gone = false;
    const hold = (): void => {
      if (document.hidden || !("wakeLock" in navigator)) return;
      void navigator.wakeLock.request("screen").then((held) => {
        if (gone) void held.release();
        else lock = held;
      }, () => undefined);
    };
    hold();
    document.addEventListener("visibilitychange", hold);
    return () => {
      gone = true;
      document.removeEventListener("visibilitychange", hold);
      void lock?.release();
    };
  }, []);
}

const DAY_MS = 24 * 3_600_000;

/** Once a day the page is loaded anew, so that a screen that hangs for months runs what the server runs. */
export function useFreshDaily(connected: boolean): void {
  useEffect(() => {
    if (!connected) return;
    const timer = setTimeout(() => location.reload(), Math.max(60_000, DAY_MS - performance.now()));
    return () => clearTimeout(timer);
  }, [connected]);
}
