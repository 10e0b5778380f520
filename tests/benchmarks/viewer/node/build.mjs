// Bundles the pages as a product would be: node build.mjs OUT. Runs in viewer/web, whose bundler it uses.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = dirname(fileURLToPath(import.meta.url));
const { build } = await import(pathToFileURL(createRequire(join(process.cwd(), "package.json")).resolve("vite")).href);
await build({
  root, configFile: false, logLevel: "error", base: "./", worker: { format: "es" },
  build: {
    outDir: process.argv[2], emptyOutDir: false, target: "es2023", chunkSizeWarningLimit: 9000,
    rollupOptions: { input: ["ours", "fragments", "plain"].map((name) => join(root, `${name}.html`)) },
  },
});
