/** What is drawn over and under a picture that is taken along: the labels, a line saying when, and what colours mean. */

/** What the colours mean. All colours are CSS colours. */
export type Key =
  | { kind: "scale"; low: string; high: string; /** From low to high. */ colours: readonly string[]; /** Classes rather than a ramp. */ stepped: boolean }
  | { kind: "states"; states: readonly { label: string; colour: string }[] };

export interface Caption {
  title: string;
  when: string;
  /** Null without colours. */
  key: Key | null;
}

export const BAR = 46; // CSS px under the picture

/** Labels are no part of the canvas: boxes with their text, where they stand. */
export function drawLabels(pen: CanvasRenderingContext2D, canvas: HTMLCanvasElement): void {
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

export function drawCaption(pen: CanvasRenderingContext2D, { title, when, key }: Caption, width: number, height: number): void {
  const top = height - BAR;
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string, otherwise: string): string => style.getPropertyValue(name) || otherwise;
  pen.fillStyle = colour("--raised", "#fff");
  pen.fillRect(0, top, width, BAR);
  pen.textBaseline = "middle";
  pen.textAlign = "left";
  pen.fillStyle = colour("--text", "#111");
  const family = getComputedStyle(document.body).fontFamily;
  const strong = `600 15px ${family}`;
  pen.font = strong;
  const after = 16 + pen.measureText(when).width + 16;
  pen.font = `13px ${family}`;
  const room = width - after - keyWidth(pen, key) - 32;
  const lines = room < -16 ? [top + 13, top + BAR - 13] as const : [top + BAR / 2, top + BAR / 2] as const; // two on a phone
  if (room > 80) pen.fillText(title, after, lines[0], room);
  if (key) drawKey(pen, key, width, lines[1]);
  pen.fillStyle = colour("--text", "#111");
  pen.textAlign = "left";
  pen.font = strong;
  pen.fillText(when, 16, lines[0]);
}

/** The colours, right of the text: a bar between its limits, or a spot for each state. */
function drawKey(pen: CanvasRenderingContext2D, key: Key, width: number, middle: number): void {
  const text = pen.fillStyle;
  if (key.kind === "states") {
    let left = width - 16 - keyWidth(pen, key);
    for (const { label, colour } of key.states) {
      pen.fillStyle = colour;
      pen.fillRect(left, middle - 5, 10, 10);
      pen.fillStyle = text;
      pen.fillText(label, left + 15, middle);
      left += STATE + pen.measureText(label).width;
    }
    return;
  }
  const [left, long] = [width - 186, 116];
  if (key.stepped) {
    key.colours.forEach((colour, i) => {
      pen.fillStyle = colour;
      pen.fillRect(left + (long * i) / key.colours.length, middle - 5, long / key.colours.length, 10);
    });
  } else {
    const ramp = pen.createLinearGradient(left, 0, left + long, 0);
    key.colours.forEach((colour, i) => ramp.addColorStop(i / Math.max(1, key.colours.length - 1), colour));
    pen.fillStyle = ramp;
    pen.fillRect(left, middle - 5, long, 10);
  }
  pen.fillStyle = text;
  pen.textAlign = "right";
  pen.fillText(key.low, left - 6, middle);
  pen.textAlign = "left";
  pen.fillText(key.high, left + long + 6, middle, 60);
}

const STATE = 29; // px: a spot, the space beside it, and that to the next

function keyWidth(pen: CanvasRenderingContext2D, key: Key | null): number {
  if (!key) return 0;
  if (key.kind === "scale") return 254;
  return key.states.reduce((sum, { label }) => sum + STATE + pen.measureText(label).width, 0) - 14;
}
