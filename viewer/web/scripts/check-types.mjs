// Fails when src/api/schema.gen.ts is not what docs/openapi.json makes: run `npm run types`.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const web = fileURLToPath(new URL("..", import.meta.url));
const generated = join(web, "src/api/schema.gen.ts");
const folder = mkdtempSync(join(tmpdir(), "twin-types-"));
try {
  const fresh = join(folder, "schema.gen.ts");
  const cli = join(web, "node_modules/openapi-typescript/bin/cli.js");
  const openapi = join(web, "../../docs/openapi.json");
  const run = (output) =>
    execFileSync(process.execPath, [cli, openapi, "--output", output, "--default-non-nullable=false"], { stdio: "pipe" });
  if (process.argv.includes("--write")) {
    run(generated);
  } else {
    run(fresh);
    if (!existsSync(generated) || readFileSync(fresh, "utf8") !== readFileSync(generated, "utf8")) {
      console.error("src/api/schema.gen.ts is stale: run `npm run types` and commit it");
      process.exitCode = 1;
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
