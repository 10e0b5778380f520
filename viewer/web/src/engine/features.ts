/**
 * What is known of every element and how it shows: the table behind the state texture.
 *
 * A *feature* is an element's share of one tile and a texel of the state texture; an *element* (GlobalId) may have
 * several, or none yet: its state is kept and takes effect when its tile arrives. The texel is three bytes of colour
 * and one of flags.
 */
import type { Others, Rgb, Severity } from "./types";

export const HIDDEN = 1;
export const GHOST = 2;
export const SELECTED = 4;
export const HIGHLIGHTED = 8;
/** Three bits: 0 none, 1 low … 4 critical. */
export const ALARM_SHIFT = 4;
export const ALARM_MASK = 7 << ALARM_SHIFT;
export const COLORED = 128;

/** Texels per row of the state texture: a power of two, so that the shader shifts. */
export const ROW = 256;

const SEVERITY: Record<Severity, number> = { low: 1, medium: 2, high: 3, critical: 4 };
const NONE = 0xffffffff;
/** Coloured quite black is "no value": the shader hatches it. What is meant to be black is almost so. */
const NO_DATA: Rgb = [0, 0, 0];
const DARKEST: Rgb = [1, 1, 1];

const texel = (given: Rgb | null): Rgb => (given === null ? NO_DATA : given[0] + given[1] + given[2] === 0 ? DARKEST : given);

/** How many features of a tile show in which way; decides which draws it needs. */
export interface TileCounts {
  visible: number;
  ghost: number;
  overlay: number;
}

interface TileSlot {
  readonly base: number;
  count: number;
  mode: number;
  counts: TileCounts | null;
}

export class FeatureTable {
  readonly #index = new Map<string, number>();
  readonly #names: string[] = [];
  /** After the element that was last looked for. */
  #following = 0;
  readonly #tiles: TileSlot[] = [];
  #flags = new Uint8Array(1024);
  #colors = new Uint8Array(3 * 1024);
  #isolated: Uint8Array<ArrayBuffer> | null = null;
  #others = GHOST;
  /** First feature of each element, then the next of each feature: an element's features as a list. */
  #first = new Uint32Array(1024).fill(NONE);
  #next = new Uint32Array(ROW);
  #element = new Uint32Array(ROW);
  #tileOf = new Uint16Array(ROW);
  #boxes = new Float64Array(6 * 1024).fill(NaN);
  #features = 0;
  #shown = 0;
  #alarms = 0;

  /** RGBA8 texels, rows of `ROW`; grows, so ask again after adding a tile. */
  data: Uint8Array<ArrayBuffer> = new Uint8Array(ROW * 4);
  /** Rises with every texel that changes. */
  version = 0;
  /** Half-open range of texture rows that changed since `takeDirty`. */
  #dirtyFrom = Infinity;
  #dirtyTo = 0;

  /** Elements with a mesh. */
  get elementCount(): number {
    return this.#shown;
  }
  get featureCount(): number {
    return this.#features;
  }
  /** True while any element is in alarm. */
  get alarmed(): boolean {
    return this.#alarms > 0;
  }

  /** Make room, so that loading does not grow step by step. */
  reserve(features: number): void {
    const rows = Math.ceil(features / ROW);
    if (rows * ROW * 4 <= this.data.length) return;
    this.data = grown(this.data, rows * ROW * 4);
    this.#next = grown(this.#next, rows * ROW);
    this.#element = grown(this.#element, rows * ROW);
    this.#tileOf = grown(this.#tileOf, rows * ROW);
  }

  /** Add a tile's features; returns its number and the first feature. `boxes` is (features, 6), building frame. */
  addTile(globalIds: readonly string[], boxes: Float64Array): { tile: number; base: number } {
    const base = this.#features;
    const tile = this.#tiles.length;
    this.#features += globalIds.length;
    if (this.#features * 4 > this.data.length) this.reserve(Math.max(this.#features, (this.data.length / 4) * 2));
    this.#tiles.push({ base, count: globalIds.length, mode: 0, counts: null });
    globalIds.forEach((globalId, i) => {
      const element = globalId === "" ? NONE : this.#intern(globalId);
      const feature = base + i;
      this.#element[feature] = element;
      this.#tileOf[feature] = tile;
      this.#next[feature] = NONE;
      if (element !== NONE) {
        if (this.#first[element] === NONE) this.#shown++;
        this.#next[feature] = this.#first[element] as number;
        this.#first[element] = feature;
        this.#growBox(element, boxes, i);
      }
      this.#write(feature);
    });
    return { tile, base };
  }

  /** Forget a tile's features; what was set for their elements stays. Their texels are not used again until all are cleared. */
  removeTile(tile: number): void {
    const slot = this.#tiles[tile] as TileSlot;
    for (let feature = slot.base; feature < slot.base + slot.count; feature++) {
      const element = this.#element[feature] as number;
      if (element === NONE) continue;
      if (this.#first[element] === feature) this.#first[element] = this.#next[feature] as number;
      else {
        let before = this.#first[element] as number;
        while (this.#next[before] !== feature) before = this.#next[before] as number;
        this.#next[before] = this.#next[feature] as number;
      }
      this.#element[feature] = NONE;
      if (this.#first[element] !== NONE) continue;
      this.#shown--;
      this.#boxes.fill(NaN, element * 6, element * 6 + 6);
    }
    slot.count = 0;
    slot.counts = null;
  }

  /** Flags (HIDDEN, GHOST) that hold for a whole tile. Call `refresh` after the last one. */
  setTileMode(tile: number, mode: number): void {
    (this.#tiles[tile] as TileSlot).mode = mode;
  }

  /** Write every texel anew: after tile modes or isolation changed. About 1 ms for 100 000 features. */
  refresh(): void {
    for (let feature = 0; feature < this.#features; feature++) this.#write(feature);
  }

  has(globalId: string): boolean {
    const element = this.#index.get(globalId);
    return element !== undefined && this.#first[element] !== NONE;
  }

  /** [min x, y, z, max x, y, z] in the building frame; null for an element without a mesh. */
  boxOf(globalId: string): Float64Array | null {
    const element = this.#index.get(globalId);
    if (element === undefined || this.#first[element] === NONE) return null;
    const box = this.#boxes.subarray(element * 6, element * 6 + 6);
    return (box[0] as number) <= (box[3] as number) ? box : null;
  }

  /** GlobalId and tile of a feature; null for one that names nothing. */
  featureAt(feature: number): { globalId: string; tile: number } | null {
    if (feature < 0 || feature >= this.#features) return null;
    const element = this.#element[feature] as number;
    if (element === NONE) return null;
    return { globalId: this.#names[element] as string, tile: this.#tileOf[feature] as number };
  }

  /** The number of a tile that shows the element, or null. */
  tileOf(globalId: string): number | null {
    const element = this.#index.get(globalId);
    const feature = element === undefined ? NONE : (this.#first[element] as number);
    return feature === NONE ? null : (this.#tileOf[feature] as number);
  }

  /** Forget all tiles; what was set for their elements stays for the next ones. */
  clearTiles(): void {
    this.#tiles.length = 0;
    this.#features = 0;
    this.#shown = 0;
    this.#first.fill(NONE);
    this.#boxes.fill(NaN);
  }

  /** Whether anything of the element is drawn, be it as a ghost. */
  isShown(globalId: string): boolean {
    const element = this.#index.get(globalId);
    if (element === undefined) return false;
    for (let f = this.#first[element] as number; f !== NONE; f = this.#next[f] as number)
      if (((this.data[f * 4 + 3] as number) & HIDDEN) === 0) return true;
    return false;
  }

  /** Whether the element may be seen: has a mesh and is neither hidden nor ghosted in all of its tiles. */
  isVisible(globalId: string): boolean {
    const element = this.#index.get(globalId);
    if (element === undefined) return false;
    for (let f = this.#first[element] as number; f !== NONE; f = this.#next[f] as number)
      if (((this.data[f * 4 + 3] as number) & (HIDDEN | GHOST)) === 0) return true;
    return false;
  }

  /** Whether a feature is drawn, and not as a ghost. */
  isSeen(feature: number): boolean {
    return ((this.data[feature * 4 + 3] as number) & (HIDDEN | GHOST)) === 0;
  }

  /** GlobalIds of a tile's features. */
  *idsOf(tile: number): Generator<string> {
    const { base, count } = this.#tiles[tile] as TileSlot;
    for (let f = base; f < base + count; f++) {
      const element = this.#element[f] as number;
      if (element !== NONE) yield this.#names[element] as string;
    }
  }

  counts(tile: number): TileCounts {
    const slot = this.#tiles[tile] as TileSlot;
    if (slot.counts) return slot.counts;
    const counts = { visible: 0, ghost: 0, overlay: 0 };
    for (let f = slot.base; f < slot.base + slot.count; f++) {
      const flags = this.data[f * 4 + 3] as number;
      if (flags & HIDDEN) continue;
      if (flags & GHOST) counts.ghost++;
      else counts.visible++;
      if (flags & (SELECTED | ALARM_MASK)) counts.overlay++;
    }
    slot.counts = counts;
    return counts;
  }

  /** Set or clear a flag of these elements, leaving the others as they are. */
  setFlag(globalIds: Iterable<string>, flag: number, on: boolean): void {
    for (const globalId of globalIds) this.#change(this.#intern(globalId), flag, on ? flag : 0);
  }

  /** Set a flag of exactly these elements. */
  onlyFlag(globalIds: Iterable<string>, flag: number): void {
    const wanted = new Set<number>();
    for (const globalId of globalIds) wanted.add(this.#intern(globalId));
    for (let element = 0; element < this.#names.length; element++)
      if (((this.#flags[element] as number) & flag) !== 0 && !wanted.has(element)) this.#change(element, flag, 0);
    for (const element of wanted) this.#change(element, flag, flag);
  }

  /** Ghost or hide everything but these elements; null ends it. Calls `refresh`. */
  isolate(globalIds: Iterable<string> | null, others: Others = "ghost"): void {
    this.#isolated = null;
    if (globalIds) {
      const wanted: number[] = [];
      for (const globalId of globalIds) wanted.push(this.#intern(globalId));
      this.#isolated = new Uint8Array(this.#flags.length);
      for (const element of wanted) this.#isolated[element] = 1;
      this.#others = others === "hide" ? HIDDEN : GHOST;
    }
    this.refresh();
  }

  /** Colour exactly these elements; null or an empty map gives all of them their own colours back. */
  setColors(colors: ReadonlyMap<string, Rgb | null> | null): void {
    const wanted = new Uint8Array(this.#flags.length + (colors?.size ?? 0));
    for (const [globalId, given] of colors ?? []) {
      const color = texel(given);
      const element = this.#intern(globalId);
      wanted[element] = 1;
      const at = element * 3;
      const same =
        ((this.#flags[element] as number) & COLORED) !== 0 &&
        this.#colors[at] === color[0] && this.#colors[at + 1] === color[1] && this.#colors[at + 2] === color[2];
      if (same) continue;
      this.#colors[at] = color[0];
      this.#colors[at + 1] = color[1];
      this.#colors[at + 2] = color[2];
      this.#flags[element] = (this.#flags[element] as number) | COLORED;
      this.#writeElement(element);
    }
    for (let element = 0; element < this.#names.length; element++)
      if (((this.#flags[element] as number) & COLORED) !== 0 && !wanted[element]) this.#change(element, COLORED, 0);
  }

  /** Colour these elements, and leave the others as they are. */
  addColors(colors: ReadonlyMap<string, Rgb | null>): void {
    for (const [globalId, given] of colors) {
      const color = texel(given);
      const element = this.#intern(globalId);
      this.#colors.set(color, element * 3);
      this.#flags[element] = (this.#flags[element] as number) | COLORED;
      this.#writeElement(element);
    }
  }

  /** Mark exactly these elements as in alarm. */
  setAlarms(alarms: ReadonlyMap<string, Severity> | null): void {
    const wanted = new Map<number, number>();
    for (const [globalId, severity] of alarms ?? []) wanted.set(this.#intern(globalId), SEVERITY[severity] << ALARM_SHIFT);
    for (let element = 0; element < this.#names.length; element++)
      if (((this.#flags[element] as number) & ALARM_MASK) !== 0 && !wanted.has(element)) this.#change(element, ALARM_MASK, 0);
    for (const [element, bits] of wanted) this.#change(element, ALARM_MASK, bits);
    this.#alarms = wanted.size;
  }

  /** A copy of the texels in which exactly these elements are coloured and in alarm; everything else is as it is. */
  variant(colors: ReadonlyMap<string, Rgb | null>, alarms: ReadonlyMap<string, Severity>): Uint8Array<ArrayBuffer> {
    const data = this.data.slice();
    for (let at = 3; at < this.#features * 4; at += 4) data[at] = (data[at] as number) & ~(COLORED | ALARM_MASK);
    const paint = (globalId: string, write: (at: number) => void): void => {
      const element = this.#index.get(globalId);
      if (element === undefined) return;
      for (let f = this.#first[element] as number; f !== NONE; f = this.#next[f] as number) write(f * 4);
    };
    for (const [globalId, given] of colors) {
      const color = texel(given);
      paint(globalId, (at) => {
        data.set(color, at);
        data[at + 3] = (data[at + 3] as number) | COLORED;
      });
    }
    for (const [globalId, severity] of alarms) paint(globalId, (at) => (data[at + 3] = (data[at + 3] as number) | (SEVERITY[severity] << ALARM_SHIFT)));
    return data;
  }

  /** Rows that changed since the last call, half-open, or null. */
  takeDirty(): { from: number; to: number } | null {
    if (this.#dirtyFrom >= this.#dirtyTo) return null;
    const range = { from: this.#dirtyFrom, to: this.#dirtyTo };
    this.#dirtyFrom = Infinity;
    this.#dirtyTo = 0;
    return range;
  }

  /** The number of an element. Who names many mostly does so in our order: then the next one is known without a search. */
  #intern(globalId: string): number {
    const element = this.#names[this.#following] === globalId ? this.#following : (this.#index.get(globalId) ?? this.#add(globalId));
    this.#following = element + 1;
    return element;
  }

  #add(globalId: string): number {
    const element = this.#names.length;
    this.#index.set(globalId, element);
    this.#names.push(globalId);
    if (element >= this.#flags.length) {
      const room = this.#flags.length * 2;
      this.#flags = grown(this.#flags, room);
      this.#colors = grown(this.#colors, room * 3);
      this.#first = grown(this.#first, room, NONE);
      this.#boxes = grown(this.#boxes, room * 6, NaN);
      if (this.#isolated) this.#isolated = grown(this.#isolated, room);
    }
    return element;
  }

  #change(element: number, mask: number, bits: number): void {
    const before = this.#flags[element] as number;
    const after = (before & ~mask) | bits;
    if (before === after) return;
    this.#flags[element] = after;
    this.#writeElement(element);
  }

  #writeElement(element: number): void {
    for (let f = this.#first[element] as number; f !== NONE; f = this.#next[f] as number) this.#write(f);
  }

  #write(feature: number): void {
    const element = this.#element[feature] as number;
    const slot = this.#tiles[this.#tileOf[feature] as number] as TileSlot;
    let flags = slot.mode;
    const at = feature * 4;
    const data = this.data;
    let changed = false;
    if (element !== NONE) {
      flags |= this.#flags[element] as number;
      for (let c = 0; c < 3; c++) {
        const value = this.#colors[element * 3 + c] as number;
        if (data[at + c] !== value) {
          data[at + c] = value;
          changed = true;
        }
      }
    }
    if (this.#isolated && (element === NONE || this.#isolated[element] !== 1)) flags |= this.#others;
    if (data[at + 3] !== flags) {
      data[at + 3] = flags;
      slot.counts = null;
      changed = true;
    }
    if (!changed) return;
    this.version++;
    const row = Math.floor(feature / ROW);
    this.#dirtyFrom = Math.min(this.#dirtyFrom, row);
    this.#dirtyTo = Math.max(this.#dirtyTo, row + 1);
  }

  #growBox(element: number, boxes: Float64Array, feature: number): void {
    const own = this.#boxes;
    for (let c = 0; c < 3; c++) {
      const low = boxes[feature * 6 + c] as number;
      const high = boxes[feature * 6 + 3 + c] as number;
      if (!(low <= high)) return;
      const at = element * 6 + c;
      own[at] = Number.isNaN(own[at]) ? low : Math.min(own[at] as number, low);
      own[at + 3] = Number.isNaN(own[at + 3]) ? high : Math.max(own[at + 3] as number, high);
    }
  }
}

type Grows = Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;

/** A longer copy; what is new has the value `fill`. */
function grown<T extends Grows>(array: T, length: number, fill = 0): T {
  const longer = new (array.constructor as new (length: number) => T)(length);
  longer.set(array);
  if (fill !== 0) longer.fill(fill, array.length);
  return longer;
}
