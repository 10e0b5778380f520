import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { get, onUnauthenticated, post, setCsrfToken, upload } from "./client";

/** A server that knows one token, and a browser that sends the one it last got. */
const world = { valid: "old", cookie: "old", held: [] as (() => void)[], csrf: [] as (string | null)[] };
const ended = vi.fn();

async function serve(address: string, init: RequestInit): Promise<Response> {
  const token = world.cookie;
  await Promise.resolve();
  if (token !== world.valid) return new Response('{"code": "session.ended"}', { status: 401 });
  if (init.method === "POST") world.csrf.push(new Headers(init.headers).get("X-CSRF-Token"));
  if (address.endsWith("/renew")) {
    world.valid = "new"; // as the server commits: before its answer is here
    await new Promise<void>((resolve) => world.held.push(resolve));
    world.cookie = "new";
  }
  return Response.json({ csrf_token: `csrf of ${world.valid}` });
}

beforeEach(() => {
  Object.assign(world, { valid: "old", cookie: "old", held: [], csrf: [] });
  vi.stubGlobal("fetch", vi.fn(serve));
  ended.mockClear();
  onUnauthenticated(ended);
  setCsrfToken("csrf of old");
});
afterEach(() => vi.unstubAllGlobals());

it("asks again what was refused because the session was given another token meanwhile", async () => {
  const renewed = post("/renew");
  await vi.waitFor(() => expect(world.held).toHaveLength(1));
  const read = get("/points");
  const written = post("/orders");
  await new Promise((resolve) => setTimeout(resolve, 20));
  world.held[0]?.();
  await expect(Promise.all([renewed, read, written])).resolves.toHaveLength(3);
  expect(world.csrf).toEqual(["csrf of old", "csrf of new"]);
  expect(ended).not.toHaveBeenCalled();
});

it("waits a moment for the token that another tab gets", async () => {
  world.valid = "new";
  setTimeout(() => (world.cookie = "new"), 50);
  await get("/points");
  expect(ended).not.toHaveBeenCalled();
});

it("says that a session is over, and asks for it once for all that was refused", async () => {
  world.valid = "another";
  const refused = await Promise.allSettled([get("/points"), get("/alarms"), post("/orders")]);
  expect(refused.map((one) => one.status)).toEqual(["rejected", "rejected", "rejected"]);
  expect(ended).toHaveBeenCalled();
  const asked = vi.mocked(fetch).mock.calls.map(([address]) => address);
  expect(asked.filter((address) => address === "/api/v1/session")).toHaveLength(2);
});

it("takes a wrong password for nothing else", async () => {
  world.valid = "another";
  await expect(post("/session")).rejects.toMatchObject({ status: 401 });
  expect(ended).not.toHaveBeenCalled();
  expect(fetch).toHaveBeenCalledTimes(1);
});

it("says that a session is over when an upload was refused", async () => {
  class Refused {
    readonly upload = {};
    readonly status = 401;
    readonly responseText = '{"code": "session.ended"}';
    onload = (): void => undefined;
    open = (): void => undefined;
    setRequestHeader = (): void => undefined;
    send = (): void => queueMicrotask(() => this.onload());
  }
  vi.stubGlobal("XMLHttpRequest", Refused);
  await expect(upload("/models", new FormData(), () => undefined).result).rejects.toMatchObject({ status: 401 });
  expect(ended).not.toHaveBeenCalled();
  world.valid = "another";
  await expect(upload("/models", new FormData(), () => undefined).result).rejects.toMatchObject({ status: 401 });
  expect(ended).toHaveBeenCalledOnce();
});
