/*
 * Lets the app be installed, and says what is wrong where the server cannot be reached. It keeps nothing: pages come
 * from the network, always the newest; the files of a page are cached by the browser as the server says; answers of the
 * API are never touched. Only a page that cannot be fetched is replaced, by the note below.
 */
const zh = (self.navigator.language || "").toLowerCase().startsWith("zh");
const TEXT = zh
  ? { lang: "zh-CN", title: "无法连接服务器", hint: "请检查网络。连接恢复后，此页面会自动重新加载。", again: "重试" }
  : { lang: "en", title: "The server cannot be reached", hint: "Check the network. This page loads again by itself when the connection is back.", again: "Try again" };
const page = (nonce) => `<!doctype html>
<html lang="${TEXT.lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${TEXT.title}</title>
<style>
  :root { font: 15px/1.6 system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans SC", sans-serif; background: #f3f5f7; color: #17212b; }
  body { min-height: 100vh; margin: 0; display: grid; place-content: center; justify-items: center; text-align: center; padding: 0 24px; box-sizing: border-box; }
  svg { width: 56px; } h1 { font-size: 22px; margin: 18px 0 4px; } p { margin: 0 0 20px; max-width: 30em; }
  a { padding: 9px 20px; border-radius: 7px; background: #0b6b8a; color: #fff; text-decoration: none; }
  @media (prefers-color-scheme: dark) { :root { background: #0c1115; color: #e4eaef; } a { background: #57b9d9; color: #05202b; } }
</style>
</head>
<body>
<svg viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="7" fill="#0b6b8a"/><path d="M16 6 26 11 16 16 6 11Z" fill="none" stroke="#fff" stroke-width="2" stroke-linejoin="round"/><path d="M16 12 26 17 16 22 6 17Z" fill="#fff"/><path d="M6 21 16 26 26 21" fill="none" stroke="#fff" stroke-width="2" stroke-linejoin="round"/></svg>
<main>
<h1>${TEXT.title}</h1>
<p>${TEXT.hint}</p>
<a href="">${TEXT.again}</a>
</main>
<script nonce="${nonce}">
  const look = () => fetch("/api/v1/health", { cache: "no-store" }).then((answer) => answer.ok && location.reload(), () => undefined);
  addEventListener("online", look);
  setInterval(look, 10000);
</script>
</body>
</html>`;

self.addEventListener("install", () => void self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  if (event.request.mode !== "navigate" || new URL(event.request.url).pathname.startsWith("/api/")) return;
  event.respondWith(fetch(event.request).catch(() => away()));
});

function away() {
  const nonce = self.crypto.randomUUID();
  return new Response(page(nonce), {
    status: 503,
    headers: {
      "Content-Type": "text/html; charset=utf-8",
      "Cache-Control": "no-store",
      "Content-Security-Policy": `default-src 'none'; script-src 'nonce-${nonce}'; connect-src 'self'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    },
  });
}
