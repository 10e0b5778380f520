/**
 * A WebM file around encoded pictures (Matroska, RFC 9559): with its duration and an index, so that a player can seek,
 * which what a MediaRecorder writes cannot, and with the times of the film rather than those of making it. Pure.
 */

export interface Chunk {
  data: Uint8Array<ArrayBuffer>;
  /** ms from the start. */
  at: number;
  key: boolean;
}

export interface Film {
  codec: "V_VP8" | "V_VP9";
  width: number;
  height: number;
  /** ms. */
  duration: number;
  chunks: readonly Chunk[];
}

type Bytes = Uint8Array<ArrayBuffer>;
const ID = {
  header: 0x1a45dfa3, segment: 0x18538067, info: 0x1549a966, tracks: 0x1654ae6b, track: 0xae, video: 0xe0, cluster: 0x1f43b675, block: 0xa3, cues: 0x1c53bb6b,
  cue: 0xbb, cueTrack: 0xb7,
} as const;

/** Bytes of the whole file. A cluster begins at each key frame; blocks lie at most 32 s after it. */
export function webm(film: Film): Blob {
  const clusters = clustersOf(film.chunks);
  const info = element(ID.info, [unsigned(0x2ad7b1, 1_000_000), float(0x4489, film.duration), text(0x4d80, "twin"), text(0x5741, "twin")]);
  const tracks = element(ID.tracks, [element(ID.track, [
    unsigned(0xd7, 1), unsigned(0x73c5, 1), unsigned(0x83, 1), unsigned(0x9c, 0), text(0x86, film.codec),
    element(ID.video, [unsigned(0xb0, film.width), unsigned(0xba, film.height)]),
  ])]);
  // Positions are eight bytes each, so that the index is as long as it will be before they are known.
  const before = info.length + tracks.length + index(clusters.map(() => ({ at: 0, position: 0 }))).length;
  let position = before;
  const cues = index(clusters.map(({ at, data }) => {
    const here = { at, position };
    position += data.length;
    return here;
  }));
  const header = element(ID.header, [
    unsigned(0x4286, 1), unsigned(0x42f7, 1), unsigned(0x42f2, 4), unsigned(0x42f3, 8), text(0x4282, "webm"), unsigned(0x4287, 4), unsigned(0x4285, 2),
  ]);
  return new Blob([header, element(ID.segment, [info, tracks, cues, ...clusters.map(({ data }) => data)])], { type: "video/webm" });
}

/**
 * The frame of VP8 in a lossy WebP picture (RFC 9649: a RIFF file of chunks); such a frame is always a key frame.
 * Throws where there is none, as in a picture without loss.
 */
export function fromWebp(picture: Bytes): Bytes {
  const view = new DataView(picture.buffer, picture.byteOffset, picture.byteLength);
  const name = (at: number): string => String.fromCharCode(...picture.subarray(at, at + 4));
  if (picture.length < 20 || name(0) !== "RIFF" || name(8) !== "WEBP") throw new Error("not a WebP picture");
  for (let at = 12; at + 8 <= picture.length;) {
    const size = view.getUint32(at + 4, true);
    if (at + 8 + size > picture.length) break;
    if (name(at) === "VP8 ") return picture.slice(at + 8, at + 8 + size);
    at += 8 + size + (size % 2); // chunks begin at even places
  }
  throw new Error("no VP8 frame in the WebP picture");
}

function clustersOf(chunks: readonly Chunk[]): { at: number; data: Bytes }[] {
  const groups: Chunk[][] = [];
  for (const chunk of chunks) {
    if (chunk.key || groups.length === 0) groups.push([chunk]);
    else groups.at(-1)?.push(chunk);
  }
  return groups.map((group) => {
    const start = Math.round(group[0]?.at ?? 0);
    const blocks = group.map(({ data, at, key }) => {
      const head = new Uint8Array([0x81, 0, 0, key ? 0x80 : 0]);
      new DataView(head.buffer).setInt16(1, Math.round(at) - start);
      return element(ID.block, [head, data]);
    });
    return { at: start, data: element(ID.cluster, [unsigned(0xe7, start), ...blocks]) };
  });
}

/** Where in the segment the cluster of each moment lies. */
function index(entries: readonly { at: number; position: number }[]): Bytes {
  return element(ID.cues, entries.map(({ at, position }) => element(ID.cue, [
    unsigned(0xb3, at, 8), element(ID.cueTrack, [unsigned(0xf7, 1), unsigned(0xf1, position, 8)]),
  ])));
}

function element(id: number, children: readonly Bytes[]): Bytes {
  const size = children.reduce((sum, one) => sum + one.length, 0);
  const name = idBytes(id);
  const out = new Uint8Array(name.length + 8 + size);
  out.set(name);
  const view = new DataView(out.buffer, name.length);
  view.setUint32(0, 0x01000000 + Math.floor(size / 2 ** 32)); // a size of eight bytes
  view.setUint32(4, size % 2 ** 32);
  let at = name.length + 8;
  for (const child of children) {
    out.set(child, at);
    at += child.length;
  }
  return out;
}

function idBytes(id: number): number[] {
  const bytes: number[] = [];
  for (let rest = id; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return bytes;
}

function unsigned(id: number, value: number, width = 4): Bytes {
  const out = new Uint8Array(width);
  new DataView(out.buffer).setUint32(width - 4, value % 2 ** 32);
  if (width === 8) new DataView(out.buffer).setUint32(0, Math.floor(value / 2 ** 32));
  return element(id, [out]);
}

function float(id: number, value: number): Bytes {
  const out = new Uint8Array(8);
  new DataView(out.buffer).setFloat64(0, value);
  return element(id, [out]);
}

const text = (id: number, value: string): Bytes => element(id, [new TextEncoder().encode(value)]);
