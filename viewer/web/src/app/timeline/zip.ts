/** Pictures in one file: a ZIP without compression, which PNG would not gain by. Pure. */

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

/** CRC-32 (ISO 3309), as ZIP wants it. */
export function crc32(data: Uint8Array): number {
  let c = 0xffffffff;
  for (const byte of data) c = (TABLE[(c ^ byte) & 255] as number) ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}

export interface ZipEntry {
  name: string;
  data: Uint8Array<ArrayBuffer>;
  /** ms since the epoch. */
  at: number;
}

const UTF8 = 0x800;

/** A ZIP archive (APPNOTE 6.3, stored), less than 4 GB. */
export function zip(entries: readonly ZipEntry[]): Blob {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const directory: Uint8Array<ArrayBuffer>[] = [];
  let offset = 0;
  for (const { name, data, at } of entries) {
    const title = new TextEncoder().encode(name);
    const fields = common(data, title.length, at);
    const local = record(0x04034b50, [20, ...fields], 30);
    parts.push(local, title, data);
    const central = record(0x02014b50, [20, 20, ...fields], 46);
    new DataView(central.buffer).setUint32(42, offset, true);
    directory.push(central, title);
    offset += local.length + title.length + data.length;
  }
  const size = directory.reduce((sum, one) => sum + one.length, 0);
  const end = new Uint8Array(22);
  const view = new DataView(end.buffer);
  view.setUint32(0, 0x06054b50, true);
  view.setUint16(8, entries.length, true);
  view.setUint16(10, entries.length, true);
  view.setUint32(12, size, true);
  view.setUint32(16, offset, true);
  return new Blob([...parts, ...directory, end], { type: "application/zip" });
}

type Field = number | { u32: number };

/** What a file says of itself in both places: flags, method, time, date, sum, sizes, length of the name. */
function common(data: Uint8Array, title: number, at: number): Field[] {
  const time = new Date(at);
  const year = Math.max(0, time.getFullYear() - 1980);
  return [
    UTF8, 0, (time.getHours() << 11) | (time.getMinutes() << 5) | (time.getSeconds() >> 1), (year << 9) | ((time.getMonth() + 1) << 5) | time.getDate(),
    { u32: crc32(data) }, { u32: data.length }, { u32: data.length }, title, 0,
  ];
}

function record(signature: number, fields: readonly Field[], size: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(size);
  const view = new DataView(out.buffer);
  view.setUint32(0, signature, true);
  let at = 4;
  for (const field of fields) {
    if (typeof field === "number") view.setUint16(at, field, true);
    else view.setUint32(at, field.u32, true);
    at += typeof field === "number" ? 2 : 4;
  }
  return out;
}
