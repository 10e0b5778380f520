/** The building over a window of time as pictures: each drawn with its labels, a line saying when, and the scale. */
import type { Scene3D } from "../../engine";
import { BAR, drawCaption, drawLabels, type Caption } from "./caption";
import { fromWebp, webm, type Chunk } from "./webm";
import { zip } from "./zip";

/** What makes one picture: shows the moment, waits until it is shown, and says what to write under it. */
export type ShowMoment = (at: number) => Promise<Caption>;

export interface Shoot {
  scene: Scene3D;
  show: ShowMoment;
  from: number;
  to: number;
  count: number;
  signal: AbortSignal;
  onPicture: (done: number) => void;
}

const MOST = 1920; // px wide

/** The size that pictures of this view have: that of the canvas, even, at most full HD wide. */
export function sizeOf(canvas: HTMLCanvasElement): { width: number; height: number; factor: number } {
  const factor = Math.min(globalThis.devicePixelRatio || 1, MOST / canvas.clientWidth);
  const even = (n: number): number => Math.max(2, Math.round(n / 2) * 2);
  return { width: even(canvas.clientWidth * factor), height: even((canvas.clientHeight + BAR) * factor), factor };
}

/** `count` moments from the first to the last. */
export const momentsOf = (from: number, to: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => (count === 1 ? to : from + ((to - from) * i) / (count - 1)));

async function shoot(plan: Shoot, take: (sheet: HTMLCanvasElement, at: number, i: number) => Promise<void>): Promise<void> {
  const { scene, show, signal } = plan;
  const { width, height, factor } = sizeOf(scene.canvas);
  const sheet = Object.assign(document.createElement("canvas"), { width, height });
  // Without transparency, or a WebP picture would have a plane of it and be no plain key frame.
  const pen = sheet.getContext("2d", { alpha: false });
  if (!pen) throw new Error("2d");
  // Else each change on the way to a moment would be drawn too: four frames for one picture.
  const release = scene.hold();
  try {
    for (const [i, at] of momentsOf(plan.from, plan.to, plan.count).entries()) {
      signal.throwIfAborted();
      const caption = await show(at);
      pen.setTransform(factor, 0, 0, factor, 0, 0);
      scene.render(); // what a canvas shows is gone after the frame: it must be taken at once
      pen.drawImage(scene.canvas, 0, 0, width / factor, height / factor - BAR);
      drawLabels(pen, scene.canvas);
      drawCaption(pen, caption, width / factor, height / factor);
      await take(sheet, at, i);
      plan.onPicture(i + 1);
    }
  } finally {
    release();
  }
}

/** A ZIP of PNG pictures, named by their number and local time. */
export async function series(plan: Shoot): Promise<Blob> {
  const entries: { name: string; data: Uint8Array<ArrayBuffer>; at: number }[] = [];
  await shoot(plan, async (sheet, at, i) => {
    entries.push({ name: `${String(i + 1).padStart(4, "0")} ${stamp(at)}.png`, data: await bytesOf(sheet, "image/png"), at });
  });
  return zip(entries);
}

async function bytesOf(sheet: HTMLCanvasElement, type: string, quality?: number): Promise<Uint8Array<ArrayBuffer>> {
  const blob = await new Promise<Blob | null>((resolve) => sheet.toBlob(resolve, type, quality));
  if (blob?.type !== type) throw new Error(type); // a browser that cannot gives PNG instead
  return new Uint8Array(await blob.arrayBuffer());
}

/** Local time as file names can hold it. */
export function stamp(at: number): string {
  const time = new Date(at);
  const two = (n: number): string => String(n).padStart(2, "0");
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())} ${two(time.getHours())}-${two(time.getMinutes())}`;
}

/**
 * How this browser makes a clip: with its encoder, which only pages of https and of this machine may use, or of still
 * pictures; null: not at all. Either way a picture has the time that the film gives it, however long drawing it took.
 */
export function clipMaker(): "encoder" | "stills" | null {
  if (typeof VideoEncoder !== "undefined") return "encoder";
  const probe = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
  return probe.toDataURL("image/webp").startsWith("data:image/webp") ? "stills" : null;
}

/** A WebM clip of `fps` pictures a second. */
export async function clip(plan: Shoot, fps: number): Promise<Blob> {
  const { width, height } = sizeOf(plan.scene.canvas); // the window may change meanwhile, the film may not
  const chunks = await (clipMaker() === "encoder" ? encoded(plan, fps, width, height) : stills(plan, fps));
  return webm({ codec: "V_VP8", width, height, duration: (plan.count * 1000) / fps, chunks });
}

async function encoded(plan: Shoot, fps: number, width: number, height: number): Promise<Chunk[]> {
  const chunks: Chunk[] = [];
  let failed: Error | null = null;
  const encoder = new VideoEncoder({
    output: (chunk) => {
      const data = new Uint8Array(chunk.byteLength);
      chunk.copyTo(data);
      chunks.push({ data, at: chunk.timestamp / 1000, key: chunk.type === "key" });
    },
    error: (error) => (failed = error),
  });
  try {
    encoder.configure({ codec: "vp8", width, height, bitrate: Math.round(width * height * fps * 0.12), framerate: fps });
    await shoot(plan, async (sheet, _at, i) => {
      if (failed) throw failed;
      const frame = new VideoFrame(sheet, { timestamp: (i * 1e6) / fps, duration: 1e6 / fps });
      encoder.encode(frame, { keyFrame: i % (fps * 2) === 0 });
      frame.close();
      while (encoder.encodeQueueSize > 4 && encoder.state === "configured") await pause(5);
    });
    await encoder.flush();
  } catch (error) {
    throw failed ?? error; // why it closed says more than that it is closed
  } finally {
    if (encoder.state !== "closed") encoder.close();
  }
  return chunks;
}

/** Each picture by itself: a lossy WebP picture is a key frame of VP8. Larger than what an encoder makes. */
async function stills(plan: Shoot, fps: number): Promise<Chunk[]> {
  const chunks: Chunk[] = [];
  await shoot(plan, async (sheet, _at, i) => {
    chunks.push({ data: fromWebp(await bytesOf(sheet, "image/webp", 0.8)), at: (i * 1000) / fps, key: true });
  });
  return chunks;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
