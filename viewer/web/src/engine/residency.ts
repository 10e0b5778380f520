/**
 * Which tiles are in memory. All of them, nearest and most visible first, as long as they fit; then those in the picture,
 * for which the ones that have been out of it longest make room. What is in the picture is never thrown away, so that
 * nothing flickers: what does not fit beside it is left out, and told.
 */
import type { Loaded } from "./loader";
import { asError } from "./loader";
import { layerRank, type TileRef } from "./tileset";
import type { LeftOut } from "./types";

const MB = 2 ** 20;
/** A tile in memory is up to so many times as large as on its way, until some have shown it. */
const UNPACKED = 16;
const UNSEEN = 1500; // ms out of the picture before a tile may be thrown away

/** How much a tile matters now. */
export interface Sight {
  /** Its layer and storey are to be shown at all. */
  readonly wanted: boolean;
  readonly inPicture: boolean;
  /** From the eye to its box, m. */
  readonly distance: number;
}

export interface Slot {
  readonly ref: TileRef;
  state: "waiting" | "loading" | "here" | "failed";
  /** Of geometry in memory: what it took last, or a guess. */
  bytes: number;
  /** It has been in memory. */
  known: boolean;
  /** When it was last in the picture, ms. */
  seen: number;
}

export interface ResidencyHost {
  readonly concurrency: number;
  /** Asks how much tiles matter from where the camera is now. */
  sights(): (ref: TileRef) => Sight;
  /** How many metres nearer something must be to come before the layer that comes before its own. */
  reach(): number;
  load(ref: TileRef, signal: AbortSignal): Promise<Loaded>;
  /** Bytes that a tile takes in memory. */
  sizeOf(loaded: Loaded): number;
  /** A tile has come and there is room for it. */
  onHere(slot: Slot, loaded: Loaded): void;
  /** Its geometry is to be thrown away. */
  onDrop(slot: Slot): void;
  onFailed(slot: Slot, error: Error): void;
  /** Nothing is on its way any more. */
  onIdle(): void;
}

/** Bytes of geometry that a device can be expected to hold twice: once for the GPU, once for the page. */
export function defaultBudget(device: { readonly memory: number | undefined; readonly handheld: boolean }): number {
  // Some browsers tell the memory in GB, rounded and of late up to 32; more than 8 is of no use to one page. Those that do
  // not tell run on phones of 4 or desktops of 8.
  const memory = Math.min(8, device.memory ?? (device.handheld ? 4 : 8));
  return Math.round(memory * (device.handheld ? 64 : 192)) * MB;
}

/** The device that this page runs on, as far as the browser tells. */
export function thisDevice(): { memory: number | undefined; handheld: boolean } {
  const memory = (globalThis.navigator as Navigator & { deviceMemory?: number } | undefined)?.deviceMemory;
  const small = Math.min(globalThis.screen?.width ?? 9999, globalThis.screen?.height ?? 9999) < 900;
  return { memory, handheld: small && (globalThis.matchMedia?.("(pointer: coarse)").matches ?? false) };
}

/** Of the storeys that are to be seen, that which lies nearest: one of them is whole as soon as can be. */
function nearestStorey(sights: ReadonlyMap<Slot, Sight>): string | null {
  let found: string | null = null;
  let least = Infinity;
  for (const [{ ref }, { wanted, inPicture, distance }] of sights) {
    if (ref.storey === null || !wanted || !inPicture || distance >= least) continue;
    [found, least] = [ref.storey, distance];
  }
  return found;
}

export class Residency {
  readonly slots: readonly Slot[];
  readonly #host: ResidencyHost;
  readonly #signal: AbortSignal;
  readonly #first: readonly string[];
  #budget: number;
  #loading = 0;
  #arrived = { bytes: 0, transferred: 0 };
  #idle: (() => void)[] = [];
  #later: ReturnType<typeof setTimeout> | undefined;

  /** `first`: storeys to load before all others, in that order. */
  constructor(refs: readonly TileRef[], budget: number, first: readonly string[], host: ResidencyHost, signal: AbortSignal) {
    this.slots = refs.map((ref) => ({ ref, state: "waiting", bytes: ref.bytes * UNPACKED, known: false, seen: -1e9 }));
    this.#budget = budget;
    this.#first = first;
    this.#host = host;
    this.#signal = signal;
  }

  get budget(): number {
    return this.#budget;
  }

  /** Bytes in memory, with those on their way. */
  get used(): number {
    return this.slots.reduce((sum, { state, bytes }) => (state === "here" || state === "loading" ? sum + bytes : sum), 0);
  }

  get failed(): readonly Slot[] {
    return this.slots.filter(({ state }) => state === "failed");
  }

  /** What ought to be in the picture and is not, because nothing can make room for it. */
  get leftOut(): LeftOut {
    const sight = this.#host.sights();
    const missing = ({ wanted, inPicture }: Sight): boolean => wanted && inPicture;
    const out = this.slots.filter(({ state, ref }) => state === "waiting" && missing(sight(ref)));
    return {
      tiles: out.length,
      elements: out.reduce((sum, { ref }) => sum + ref.elements, 0),
      storeys: [...new Set(out.map(({ ref }) => ref.storey))],
      layers: [...new Set(out.map(({ ref }) => ref.layer))].sort(),
    };
  }

  /** Load what is missing as far as there is room; resolves when nothing more is on its way. */
  fill(): Promise<void> {
    this.look();
    if (this.#loading === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /** The camera rests somewhere else, or something else is to be shown: see what should be in memory now. */
  look(now = performance.now()): void {
    if (this.#signal.aborted) return;
    const sight = this.#host.sights();
    const sights = new Map(this.slots.map((slot) => [slot, sight(slot.ref)] as const));
    for (const [slot, sight] of sights) if (sight.wanted && sight.inPicture) slot.seen = now;
    if (this.used > this.#budget) this.#makeRoom(0, now, false);
    const order = this.slots.filter(({ state }) => state === "waiting");
    const nearest = nearestStorey(sights);
    const costs = new Map(order.map((slot) => [slot, this.#cost(slot, sights.get(slot) as Sight, nearest)] as const));
    order.sort((a, b) => (costs.get(a) as number) - (costs.get(b) as number));
    for (const slot of order) {
      if (this.#loading >= this.#host.concurrency) return;
      const { wanted, inPicture } = sights.get(slot) as Sight;
      if (this.#makeRoom(slot.bytes, now, wanted && inPicture)) void this.#load(slot);
      else if (wanted && inPicture) {
        // Smaller ones behind it would only take the room that it waits for.
        if (this.slots.some(({ state, seen }) => state === "here" && seen < now)) this.#lookLater();
        break;
      }
    }
    if (this.#loading === 0) this.#host.onIdle();
  }

  /** Try again what failed; returns how many. */
  retry(): number {
    const { failed } = this;
    for (const slot of failed) slot.state = "waiting";
    if (failed.length > 0) this.look();
    return failed.length;
  }

  /** Throw everything away and load it again. */
  refill(): void {
    for (const slot of this.slots) if (slot.state === "here") this.#drop(slot);
    this.look();
  }

  #drop(slot: Slot): void {
    slot.state = "waiting";
    this.#host.onDrop(slot);
  }

  setBudget(bytes: number): void {
    this.#budget = bytes;
    this.look();
  }

  /** What has only just left the picture may go soon. */
  #lookLater(): void {
    clearTimeout(this.#later);
    this.#later = setTimeout(() => this.look(), UNSEEN + 50);
    this.#signal.addEventListener("abort", () => clearTimeout(this.#later), { once: true });
  }

  /** The lower, the sooner: storeys asked for, what is in the picture, the nearest storey, what is nearest, walls before what is in them. */
  #cost({ ref }: Slot, { wanted, inPicture, distance }: Sight, nearest: string | null): number {
    const asked = ref.storey === null ? -1 : this.#first.indexOf(ref.storey);
    const other = ref.storey === nearest && nearest !== null ? 0 : 1e6;
    return (wanted ? 0 : 4e9) + (inPicture ? 0 : 2e9) + (asked < 0 ? this.#first.length : asked) * 1e7 + other + distance + layerRank(ref.layer) * this.#host.reach();
  }

  /** Whether `bytes` more fit; those longest out of the picture go for it where `evict` says so, or where there are too many. */
  #makeRoom(bytes: number, now: number, evict: boolean): boolean {
    let { used } = this;
    if (used + bytes <= this.#budget || used === 0) return true; // one tile is always shown, however large
    if (!evict && bytes > 0) return false;
    const out = this.slots.filter(({ state, seen }) => state === "here" && now - seen > UNSEEN).sort((a, b) => a.seen - b.seen);
    if (bytes > 0 && used + bytes - out.reduce((sum, slot) => sum + slot.bytes, 0) > this.#budget) return false;
    for (const slot of out) {
      if (used + bytes <= this.#budget) break;
      used -= slot.bytes;
      this.#drop(slot);
    }
    return used + bytes <= this.#budget;
  }

  async #load(slot: Slot): Promise<void> {
    slot.state = "loading";
    this.#loading++;
    try {
      const loaded = await this.#host.load(slot.ref, this.#signal);
      if (this.#signal.aborted) return;
      [slot.state, slot.known, slot.bytes] = ["waiting", true, this.#host.sizeOf(loaded)];
      this.#learn(slot);
      if (!this.#makeRoom(slot.bytes, performance.now(), true)) return; // larger than it seemed
      slot.state = "here";
      this.#host.onHere(slot, loaded);
    } catch (error) {
      if (this.#signal.aborted) return;
      slot.state = "failed";
      this.#host.onFailed(slot, asError(error));
    } finally {
      this.#loading--;
      this.look();
      if (this.#loading === 0) for (const done of this.#idle.splice(0)) done();
    }
  }

  /** What is still to come is guessed from what has come. */
  #learn({ ref, bytes }: Slot): void {
    if (ref.bytes === 0) return;
    this.#arrived = { bytes: this.#arrived.bytes + bytes, transferred: this.#arrived.transferred + ref.bytes };
    const factor = this.#arrived.bytes / this.#arrived.transferred;
    for (const slot of this.slots) if (slot.state === "waiting" && !slot.known) slot.bytes = slot.ref.bytes * factor;
  }
}
