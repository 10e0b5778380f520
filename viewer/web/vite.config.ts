import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const server = process.env["TWIN_URL"] ?? "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [react()],
  // The server puts a fresh nonce in its place with every page (api/web.py): Ant Design's style sheets carry it.
  html: { cspNonce: "CSP_NONCE" },
  build: {
    outDir: "dist",
    target: "es2023",
    sourcemap: false,
    chunkSizeWarningLimit: 900,
  },
  server: {
    proxy: { "/api": { target: server, ws: true, changeOrigin: false } },
  },
  test: {
    environment: "node",
    include: ["tests/**/*.test.{ts,tsx}", "src/**/*.test.{ts,tsx}"],
  },
});
