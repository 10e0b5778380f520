import { expect, test } from "vitest";
import { momentsOf, stamp } from "./film";
import { comparing, placed, shifted, SPANS, CLOSED, type Timeline } from "./state";
import { fromWebp, webm } from "./webm";
import { crc32, zip } from "./zip";

const bytes = async (blob: Blob): Promise<Uint8Array> => new Uint8Array(await blob.arrayBuffer());

test("an archive says of each file where it is, how long and what its sum is", async () => {
  expect(crc32(new TextEncoder().encode("123456789"))).toBe(0xcbf43926);
  const at = new Date(2026, 10, 22, 10, 30, 8).getTime();
  const files = [{ name: "一 1.png", data: new Uint8Array([1, 2, 3]), at }, { name: "b", data: new Uint8Array(300).fill(7), at }];
  const made = await bytes(zip(files));
  const view = new DataView(made.buffer);
  const end = made.length - 22;
  expect(view.getUint32(end, true)).toBe(0x06054b50);
  expect(view.getUint16(end + 10, true)).toBe(2);
  let entry = view.getUint32(end + 16, true);
  for (const file of files) {
    expect(view.getUint32(entry, true)).toBe(0x02014b50);
    const title = view.getUint16(entry + 28, true);
    expect(new TextDecoder().decode(made.subarray(entry + 46, entry + 46 + title))).toBe(file.name);
    const [local, size] = [view.getUint32(entry + 42, true), view.getUint32(entry + 24, true)];
    expect(view.getUint32(local, true)).toBe(0x04034b50);
    expect([...made.subarray(local + 30 + title, local + 30 + title + size)]).toEqual([...file.data]);
    expect(view.getUint32(entry + 16, true)).toBe(crc32(file.data));
    expect((view.getUint16(entry + 12, true) >> 11) * 60 + ((view.getUint16(entry + 12, true) >> 5) & 63)).toBe(10 * 60 + 30);
    entry += 46 + title;
  }
  expect(entry).toBe(end);
});

/** Elements of one level: [id, start of the content, its length]. */
function children(data: Uint8Array, from: number, to: number): [number, number, number][] {
  const found: [number, number, number][] = [];
  for (let at = from; at < to;) {
    const width = Math.clz32(data[at] as number) - 23;
    const id = data.subarray(at, at + width).reduce((sum, byte) => sum * 256 + byte, 0);
    expect(data[at + width]).toBe(1); // a size of eight bytes
    const size = data.subarray(at + width + 1, at + width + 8).reduce((sum, byte) => sum * 256 + byte, 0);
    found.push([id, at + width + 8, size]);
    at += width + 8 + size;
    expect(at).toBeLessThanOrEqual(to);
  }
  return found;
}

test("a clip has a cluster for each key frame, and its index says where", async () => {
  const chunk = (at: number, key: boolean): { data: Uint8Array<ArrayBuffer>; at: number; key: boolean } => ({ data: new Uint8Array([at & 255]), at, key });
  const data = await bytes(webm({ codec: "V_VP8", width: 640, height: 360, duration: 3000, chunks: [chunk(0, true), chunk(1000, false), chunk(2000, true)] }));
  const [header, segment] = children(data, 0, data.length);
  expect([header?.[0], segment?.[0]]).toEqual([0x1a45dfa3, 0x18538067]);
  const [, start, size] = segment as [number, number, number];
  const parts = children(data, start, start + size);
  expect(parts.map(([id]) => id)).toEqual([0x1549a966, 0x1654ae6b, 0x1c53bb6b, 0x1f43b675, 0x1f43b675]);
  const cues = parts[2] as [number, number, number];
  const positions = children(data, cues[1], cues[1] + cues[2]).map(([, at, long]) => {
    const track = children(data, at, at + long)[1] as [number, number, number];
    const place = children(data, track[1], track[1] + track[2])[1] as [number, number, number];
    return Number(new DataView(data.buffer).getBigUint64(place[1]));
  });
  const idLength = 4 + 8;
  expect(positions).toEqual(parts.slice(3).map(([, at]) => at - idLength - start));
  const blocks = children(data, parts[3]?.[1] ?? 0, (parts[3]?.[1] ?? 0) + (parts[3]?.[2] ?? 0)).filter(([id]) => id === 0xa3);
  expect(blocks.map(([, at]) => [new DataView(data.buffer).getInt16(at + 1), data[at + 3], data[at + 4]])).toEqual([[0, 0x80, 0], [1000, 0, 1000 & 255]]);
});

test("of a still picture without transparency its frame is taken, of any other none", () => {
  const chunk = (name: string, data: number[]): number[] => [...new TextEncoder().encode(name), data.length, 0, 0, 0, ...data, ...(data.length % 2 ? [0] : [])];
  const file = (...chunks: number[][]): Uint8Array<ArrayBuffer> => {
    const content = [...new TextEncoder().encode("WEBP"), ...chunks.flat()];
    return new Uint8Array([...new TextEncoder().encode("RIFF"), content.length, 0, 0, 0, ...content]);
  };
  expect([...fromWebp(file(chunk("VP8 ", [1, 2, 3])))]).toEqual([1, 2, 3]);
  expect([...fromWebp(file(chunk("ICCP", [9, 9, 9]), chunk("VP8 ", [4, 5])))]).toEqual([4, 5]);
  expect(() => fromWebp(file(chunk("VP8L", [1, 2, 3, 4])))).toThrow("no VP8 frame");
  expect(() => fromWebp(file(chunk("VP8 ", [1, 2, 3, 4])).slice(0, 22))).toThrow("no VP8 frame");
  expect(() => fromWebp(new Uint8Array(40))).toThrow("not a WebP");
});

test("pictures are spread over the whole window, and named so that they sort", () => {
  expect(momentsOf(0, 90, 4)).toEqual([0, 30, 60, 90]);
  expect(momentsOf(5, 90, 1)).toEqual([90]);
  expect(stamp(new Date(2026, 0, 2, 3, 4).getTime())).toBe("2026-01-02 03-04");
});

test("both moments of a comparison stay in the window, and the present stays the present", () => {
  const end = 10 * SPANS.d1;
  const open: Timeline = { ...CLOSED, open: true, end };
  const both = comparing(open, true);
  expect(both.earlier).toBe(end - SPANS.d1);
  expect(placed(both, end - 5000, end)).toMatchObject({ earlier: end - 5000, moment: null });
  expect(placed(both, end - 5000, end - 10)).toMatchObject({ moment: end - 10 });
  expect(shifted({ ...both, moment: end }, -1, end)).toMatchObject({ earlier: end - SPANS.d1, moment: end - SPANS.d1 / 2 });
  expect(comparing(both, false).earlier).toBeNull();
});
