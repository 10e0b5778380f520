/** Taking readings and pictures out of the page. */
import type uPlot from "uplot";
import { FONT, PALETTES, type Mode } from "../../theme";
import { download } from "../download";
import type { Line } from "./plot";

export interface Drawn {
  plot: uPlot;
  lines: readonly Line[];
}

/** All charts below each other with their legends, as they are on the screen. */
export async function exportPng(drawn: readonly Drawn[], mode: Mode, title: string, name: string): Promise<void> {
  const p = PALETTES[mode];
  const ratio = window.devicePixelRatio;
  const [pad, head, legend] = [16 * ratio, 34 * ratio, 24 * ratio];
  const width = Math.max(...drawn.map((one) => one.plot.ctx.canvas.width)) + 2 * pad;
  const height = head + drawn.reduce((sum, one) => sum + legend + one.plot.ctx.canvas.height + pad, pad);
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const ctx = canvas.getContext("2d");
  if (!ctx) return;
  ctx.fillStyle = p.surface;
  ctx.fillRect(0, 0, width, height);
  ctx.textBaseline = "middle";
  ctx.fillStyle = p.text;
  ctx.font = `600 ${14 * ratio}px ${FONT}`;
  ctx.fillText(title, pad, pad + 8 * ratio);
  let y = head + pad / 2;
  for (const { plot, lines } of drawn) {
    let x = pad;
    ctx.font = `${12 * ratio}px ${FONT}`;
    for (const line of lines) {
      ctx.fillStyle = line.colour;
      ctx.fillRect(x, y + 8 * ratio, 14 * ratio, 3 * ratio);
      x += 19 * ratio;
      ctx.fillStyle = p.text2;
      const text = line.unit ? `${line.name} (${line.unit})` : line.name;
      ctx.fillText(text, x, y + 10 * ratio);
      x += ctx.measureText(text).width + 18 * ratio;
    }
    y += legend;
    ctx.drawImage(plot.ctx.canvas, pad, y);
    y += plot.ctx.canvas.height + pad;
  }
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
  if (blob) download(blob, name);
}
