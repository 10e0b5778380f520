// The fragments importer, warm: reads {"file", "out"} lines, answers {"seconds", "bytes"} lines.
import { createInterface } from "node:readline";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { createRequire } from "node:module";
import { IfcImporter } from "@thatopen/fragments";

const wasm = dirname(createRequire(import.meta.url).resolve("web-ifc")) + "/";
console.log = () => {};

for await (const line of createInterface({ input: process.stdin })) {
  const { file, out } = JSON.parse(line);
  const started = performance.now();
  const importer = new IfcImporter();
  importer.wasm = { path: wasm, absolute: true };
  const fragments = await importer.process({ bytes: new Uint8Array(readFileSync(file)) });
  writeFileSync(out, fragments);
  const seconds = (performance.now() - started) / 1000;
  process.stdout.write(JSON.stringify({ seconds, bytes: fragments.byteLength }) + "\n");
}
