/** Where widgets lie: a grid of twelve columns, as many rows as it takes. Pure. */

export const COLUMNS = 12;
export const MOST_ROWS = 50; // of one widget, as the server takes it
export const LAST_ROW = 1000;

/** In columns and rows. */
export interface Box {
  readonly id: string;
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

export const overlap = (a: Box, b: Box): boolean => a.id !== b.id && a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;

const within = (n: number, low: number, high: number): number => Math.min(high, Math.max(low, n));

/** The nearest that the grid allows. */
export function fitted<T extends Box>(box: T): T {
  const w = within(Math.round(box.w), 1, COLUMNS);
  const h = within(Math.round(box.h), 1, MOST_ROWS);
  return { ...box, w, h, x: within(Math.round(box.x), 0, COLUMNS - w), y: within(Math.round(box.y), 0, LAST_ROW - h) };
}

const byPlace = (a: Box, b: Box): number => a.y - b.y || a.x - b.x;

/** `changed` takes its place; what lies there moves down, and what that meets, and no farther than it has to. */
export function placed<T extends Box>(boxes: readonly T[], changed: T): T[] {
  const settled = new Map<string, T>([[changed.id, fitted(changed)]]);
  for (const box of boxes.filter((one) => one.id !== changed.id).toSorted(byPlace)) {
    let here = box;
    for (let met = inWay(settled, here); met; met = inWay(settled, here)) here = { ...here, y: met.y + met.h };
    settled.set(here.id, here);
  }
  return boxes.map((one) => settled.get(one.id) ?? one); // the order stays: so does the focus
}

function inWay<T extends Box>(settled: ReadonlyMap<string, T>, box: T): T | undefined {
  return [...settled.values()].find((one) => overlap(one, box));
}

/** Every widget as high up as it can be, none changing its column. */
export function packed<T extends Box>(boxes: readonly T[]): T[] {
  const settled: T[] = [];
  for (const box of boxes.toSorted(byPlace)) {
    let y = box.y;
    while (y > 0 && !settled.some((one) => overlap(one, { ...box, y: y - 1 }))) y--;
    settled.push({ ...box, y });
  }
  return boxes.map((one) => settled.find((other) => other.id === one.id) ?? one);
}

/** The first place, row by row, where a widget of this size fits. */
export function freePlace(boxes: readonly Box[], w: number, h: number): { x: number; y: number } {
  for (let y = 0; y < rowsOf(boxes); y++) {
    for (let x = 0; x + w <= COLUMNS; x++) if (!boxes.some((one) => overlap(one, { id: "", x, y, w, h }))) return { x, y };
  }
  return { x: 0, y: rowsOf(boxes) };
}

/** Every widget reaching as far to the right as nothing stands there. */
export function widened<T extends Box>(boxes: readonly T[]): T[] {
  const settled = [...boxes];
  for (const [i, box] of settled.entries()) {
    let w = box.w;
    while (box.x + w < COLUMNS && !settled.some((one) => overlap(one, { ...box, w: w + 1 }))) w++;
    settled[i] = { ...box, w };
  }
  return settled;
}

export const rowsOf = (boxes: readonly Box[]): number => Math.max(0, ...boxes.map((one) => one.y + one.h));

/** As they are read: row by row. What a phone stacks. */
export const inOrder = <T extends Box>(boxes: readonly T[]): T[] => boxes.toSorted(byPlace);

/** What an arrow key does: moves by a column or row, with Shift makes larger or smaller. Null for any other key. */
export function keyed<T extends Box>(box: T, key: string, shift: boolean): T | null {
  const steps: Record<string, readonly [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const step = steps[key];
  if (!step) return null;
  const [dx, dy] = step;
  return fitted(shift ? { ...box, w: Math.min(box.w + dx, COLUMNS - box.x), h: box.h + dy } : { ...box, x: box.x + dx, y: box.y + dy });
}
