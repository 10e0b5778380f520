import { QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ApiError } from "../api/client";
import { App } from "./app";
import { startI18n } from "./i18n";
import { signStyles } from "./lib/nonce";
import { firstMode } from "./lib/prefs";
import { applyPalette } from "./theme";
import "./fonts.css";
import "./styles.css";
import "./access.css";
import "./versions/changes.css";

const queries = new QueryClient({
  queryCache: new QueryCache(),
  defaultOptions: {
    queries: {
      staleTime: 20_000,
      refetchOnWindowFocus: true,
      // What the server refused it will refuse again; what did not reach it may get through.
      retry: (count, error) => count < 2 && (!(error instanceof ApiError) || error.status === 0 || error.status >= 502),
    },
  },
});

async function start(): Promise<void> {
  signStyles();
  applyPalette(firstMode());
  const root = document.getElementById("root");
  if (!root) throw new Error("index.html has no #root");
  await startI18n();
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={queries}>
        <App />
      </QueryClientProvider>
    </StrictMode>,
  );
}

/** So that the app can be installed and a page that cannot be fetched says why (public/sw.js). Plain http has none. */
function registerWorker(): void {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  const register = (): void => void navigator.serviceWorker.register("/sw.js").catch(() => undefined); // the app works without
  if (document.readyState === "complete") register();
  else window.addEventListener("load", register, { once: true });
}

const RELOADED = "twin.reloaded";
const AGAIN_MS = 60_000;

/** A page that was open while the server got a new version asks for pieces that are no more: it is loaded anew, once. */
function reloadForNewVersion(): void {
  window.addEventListener("vite:preloadError", () => {
    if (Date.now() - Number(sessionStorage.getItem(RELOADED) ?? 0) < AGAIN_MS) return; // it did not help
    void fetch("/api/v1/health").then((answer) => {
      if (!answer.ok) return; // the server is away: the page is better than none
      sessionStorage.setItem(RELOADED, String(Date.now()));
      window.location.reload();
    }, () => undefined);
  });
}

reloadForNewVersion();
void start();
registerWorker();
