/** The building over a window of time as pictures: each drawn with its labels, a line saying when, and the scale. */
import type { Scene3D } from "../../engine";
import { webm, type Chunk } from "./webm";
import { zip } from "./zip";

export interface Caption {
  title: string;
  when: string;
  /** CSS colours from low to high with the limits beside them; null without colours. */
  scale: { low: string; high: string; stops: readonly string[] } | null;
}

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

const BAR = 46; // CSS px under the picture
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
  const pen = sheet.getContext("2d");
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

/** Labels are no part of the canvas: boxes with their text, where they stand. */
function drawLabels(pen: CanvasRenderingContext2D, canvas: HTMLCanvasElement): void {
  const frame = canvas.getBoundingClientRect();
  for (const node of canvas.parentElement?.querySelectorAll<HTMLElement>(".scene-markers .marker") ?? []) {
    const box = node.getBoundingClientRect();
    if (box.width === 0) continue;
    const [x, y] = [box.left - frame.left, box.top - frame.top];
    const style = getComputedStyle(node);
    pen.fillStyle = style.backgroundColor;
    pen.beginPath();
    pen.roundRect(x, y, box.width, box.height, Math.min(box.height / 2, Number.parseFloat(style.borderTopLeftRadius) || 6));
    pen.fill();
    for (const part of node.querySelectorAll<HTMLElement>("span:not(.sr-only), b")) {
      const at = part.getBoundingClientRect();
      const own = getComputedStyle(part);
      pen.fillStyle = own.color;
      pen.font = `${own.fontWeight} ${own.fontSize} ${own.fontFamily}`;
      pen.textBaseline = "middle";
      pen.textAlign = "center";
      pen.fillText(part.textContent, at.left - frame.left + at.width / 2, at.top - frame.top + at.height / 2);
    }
  }
}

function drawCaption(pen: CanvasRenderingContext2D, { title, when, scale }: Caption, width: number, height: number): void {
  const top = height - BAR;
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string, otherwise: string): string => style.getPropertyValue(name) || otherwise;
  pen.fillStyle = colour("--raised", "#fff");
  pen.fillRect(0, top, width, BAR);
  pen.textBaseline = "middle";
  pen.textAlign = "left";
  pen.fillStyle = colour("--text", "#111");
  const family = getComputedStyle(document.body).fontFamily;
  pen.font = `600 15px ${family}`;
  pen.fillText(when, 16, top + BAR / 2);
  const after = 16 + pen.measureText(when).width + 16;
  const room = width - after - (scale ? 270 : 16);
  pen.font = `13px ${family}`;
  if (room > 80) pen.fillText(title, after, top + BAR / 2, room);
  if (!scale) return;
  const ramp = pen.createLinearGradient(width - 186, 0, width - 70, 0);
  scale.stops.forEach((stop, i) => ramp.addColorStop(i / Math.max(1, scale.stops.length - 1), stop));
  pen.fillStyle = ramp;
  pen.fillRect(width - 186, top + BAR / 2 - 5, 116, 10);
  pen.fillStyle = colour("--text", "#111");
  pen.textAlign = "right";
  pen.fillText(scale.low, width - 192, top + BAR / 2);
  pen.textAlign = "left";
  pen.fillText(scale.high, width - 64, top + BAR / 2, 60);
}

/** A ZIP of PNG pictures, named by their number and local time. */
export async function series(plan: Shoot): Promise<Blob> {
  const entries: { name: string; data: Uint8Array<ArrayBuffer>; at: number }[] = [];
  await shoot(plan, async (sheet, at, i) => {
    const blob = await new Promise<Blob | null>((resolve) => sheet.toBlob(resolve, "image/png"));
    if (!blob) throw new Error("png");
    entries.push({ name: `${String(i + 1).padStart(4, "0")} ${stamp(at)}.png`, data: new Uint8Array(await blob.arrayBuffer()), at });
  });
  return zip(entries);
}

/** Local time as file names can hold it. */
export function stamp(at: number): string {
  const time = new Date(at);
  const two = (n: number): string => String(n).padStart(2, "0");
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())} ${two(time.getHours())}-${two(time.getMinutes())}`;
}

/** How this browser makes a clip: picture by picture, or by recording a canvas as it changes; null: not at all. */
export function clipMaker(): "encoder" | "recorder" | null {
  if (typeof VideoEncoder !== "undefined") return "encoder"; // https or this machine only
  return typeof MediaRecorder !== "undefined" && MediaRecorder.isTypeSupported("video/webm") ? "recorder" : null;
}

/** A WebM clip of `fps` pictures a second. */
export async function clip(plan: Shoot, fps: number): Promise<Blob> {
  return clipMaker() === "encoder" ? encoded(plan, fps) : recorded(plan, fps);
}

async function encoded(plan: Shoot, fps: number): Promise<Blob> {
  const { width, height } = sizeOf(plan.scene.canvas);
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
      while (encoder.encodeQueueSize > 4) await new Promise((resolve) => encoder.addEventListener("dequeue", resolve, { once: true }));
    });
    await encoder.flush();
  } finally {
    if (encoder.state !== "closed") encoder.close();
  }
  return webm({ codec: "V_VP8", width, height, duration: (plan.count * 1000) / fps, chunks });
}

/** Where pages of this address may not encode: recorded while it happens, one picture a step. */
async function recorded(plan: Shoot, fps: number): Promise<Blob> {
  const { width, height } = sizeOf(plan.scene.canvas);
  const film = Object.assign(document.createElement("canvas"), { width, height });
  const pen = film.getContext("2d");
  const stream = film.captureStream(0);
  const [track] = stream.getVideoTracks() as CanvasCaptureMediaStreamTrack[];
  const recorder = new MediaRecorder(stream, { mimeType: "video/webm", videoBitsPerSecond: Math.round(width * height * fps * 0.12) });
  const parts: Blob[] = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  const ended = new Promise<void>((resolve) => (recorder.onstop = () => resolve()));
  recorder.start();
  let due = performance.now();
  try {
    await shoot(plan, async (sheet) => {
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
      due = Math.max(due, performance.now() - 1000 / fps) + 1000 / fps;
      pen?.drawImage(sheet, 0, 0);
      track?.requestFrame();
    });
  } finally {
    recorder.stop();
    for (const one of stream.getTracks()) one.stop();
  }
  await ended;
  return new Blob(parts, { type: "video/webm" });
}
