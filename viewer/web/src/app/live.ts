/**
 * The live socket (docs: contract, "Live socket"): values of points, batched per animation frame, and the ordered
 * event lane. One client per building; it reconnects for ever and resumes events with `since`.
 */

import { heardServerTime } from "./lib/clock";

export type Quality = 0 | 1 | 2 | 3;

export interface LiveValue {
  value: number | string | boolean | null;
  /** Milliseconds since the epoch. */
  ts: number;
  quality: Quality;
}

export interface HandleInfo {
  handle: number;
  point: string;
  element: string | null;
  unit: string | null;
  name: string;
  kind: "number" | "bool" | "enum" | "text";
  quantity: string | null;
  storey: string | null;
}

export type EventTopic = "alarm" | "work_order" | "model" | "model_preview" | "point" | "command" | "notification" | "topic";

export interface LiveEvent {
  seq: number;
  topic: EventTopic;
  data: Record<string, unknown>;
}

export type LiveStatus = "connecting" | "live" | "offline";

export interface Frame {
  serverTime: number;
  handles: Uint32Array;
  values: Float32Array;
  qualities: Uint8Array;
}

const HEADER = 16;

/** Decodes one binary delta; null for a version or kind this client does not know, or a length that does not fit. */
export function decodeFrame(buffer: ArrayBuffer): Frame | null {
  if (buffer.byteLength < HEADER) return null;
  const view = new DataView(buffer);
  if (view.getUint8(0) !== 1 || view.getUint8(1) !== 1) return null;
  const count = view.getUint32(4, true);
  if (buffer.byteLength !== HEADER + count * 9) return null;
  const serverTime = Number(view.getBigInt64(8, true));
  const handles = new Uint32Array(count);
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    handles[i] = view.getUint32(HEADER + i * 4, true);
    values[i] = view.getFloat32(HEADER + count * 4 + i * 4, true);
  }
  return { serverTime, handles, values, qualities: new Uint8Array(buffer.slice(HEADER + count * 8)) };
}

interface SnapshotMessage {
  op: "snapshot" | "handles" | "values";
  handles?: HandleInfo[];
  removed?: number[];
  values?: unknown[];
  seq?: number;
}

type Message =
  | SnapshotMessage
  | { op: "event"; seq: number; topic: EventTopic; data: Record<string, unknown> }
  | { op: "resync"; seq?: number }
  | { op: "pong" }
  | { op: "error"; code: string; message: string };

/** Changes that are told in one animation frame: a tick of tens of thousands of values is told in several, and none of them is late. */
const SLICE = 4000;
/** Where frames take this long, nothing is gained by waiting for another one. */
const SLOW_MS = 100;
const PING_MS = 20_000;
const SILENT_MS = 45_000;

/** Wait before attempt `n` (0, 1, …): doubles from 0.5 s to 15 s, with `jitter` in [0, 1) spreading clients. */
export function backoff(n: number, jitter: number): number {
  return Math.min(15_000, 500 * 2 ** n) * (0.7 + 0.6 * jitter);
}

export class LiveClient {
  private readonly now = new Map<number, LiveValue>();
  private past: ReadonlyMap<number, LiveValue> | null = null;
  readonly handles = new Map<number, HandleInfo>();
  private readonly byPoint = new Map<string, number>();
  private readonly valueListeners = new Map<number, Set<() => void>>();
  private readonly anyValue = new Set<(changed: readonly number[]) => void>();
  private readonly eventListeners = new Set<(event: LiveEvent) => void>();
  private readonly resyncListeners = new Set<() => void>();
  private readonly statusListeners = new Set<() => void>();
  private readonly dirty = new Set<number>();
  private socket: WebSocket | null = null;
  private since: number | null = null;
  private attempt = 0;
  private heardAt = 0;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private heartbeat: ReturnType<typeof setInterval> | undefined;
  private frame = 0;
  private closed = false;
  /** Rises with every batch of values: a cheap snapshot for useSyncExternalStore. */
  version = 0;
  status: LiveStatus = "connecting";

  constructor(
    private readonly building: string,
    private readonly address: string = socketAddress(),
  ) {}

  /** What is shown: the newest values, or those of the moment that `showPast` chose. */
  get values(): ReadonlyMap<number, LiveValue> {
    return this.past ?? this.now;
  }

  /** Show these values instead of the newest ones, which go on coming in; null goes back to them. */
  showPast(values: ReadonlyMap<number, LiveValue> | null): void {
    if (values === this.past) return;
    this.past = values;
    for (const handle of this.handles.keys()) this.dirty.add(handle);
    this.schedule();
  }

  start(): this {
    this.closed = false;
    this.connect();
    window.addEventListener("online", this.reconnectNow);
    document.addEventListener("visibilitychange", this.reconnectNow);
    return this;
  }

  stop(): void {
    this.closed = true;
    clearTimeout(this.retry);
    clearInterval(this.heartbeat);
    cancelAnimationFrame(this.frame);
    window.removeEventListener("online", this.reconnectNow);
    document.removeEventListener("visibilitychange", this.reconnectNow);
    this.socket?.close();
    this.socket = null;
  }

  handleOf(pointKey: string): number | undefined {
    return this.byPoint.get(pointKey);
  }

  onValue = (handle: number, listener: () => void): (() => void) => {
    const known = this.now.get(handle);
    if (known) this.now.set(handle, { ...known }); // it may have changed since it was read
    const set = this.valueListeners.get(handle) ?? new Set();
    this.valueListeners.set(handle, set.add(listener));
    return () => set.delete(listener);
  };

  /** Called at most once per animation frame, whatever changed, with the handles that did. */
  onAnyValue = (listener: (changed: readonly number[]) => void): (() => void) => {
    this.anyValue.add(listener);
    return () => this.anyValue.delete(listener);
  };

  onEvent(listener: (event: LiveEvent) => void): () => void {
    this.eventListeners.add(listener);
    return () => this.eventListeners.delete(listener);
  }

  /** The server no longer has the missed events: everything cached may be out of date. */
  onResync(listener: () => void): () => void {
    this.resyncListeners.add(listener);
    return () => this.resyncListeners.delete(listener);
  }

  onStatus = (listener: () => void): (() => void) => {
    this.statusListeners.add(listener);
    return () => this.statusListeners.delete(listener);
  };

  private readonly reconnectNow = (): void => {
    if (this.closed || document.hidden || this.socket?.readyState === WebSocket.OPEN) return;
    this.attempt = 0;
    clearTimeout(this.retry);
    this.connect();
  };

  private connect(): void {
    this.socket?.close();
    const socket = new WebSocket(this.address);
    this.socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      const since = this.since === null ? {} : { since: this.since };
      socket.send(JSON.stringify({ op: "subscribe", id: 1, building: this.building, ...since }));
      this.heardAt = Date.now();
      clearInterval(this.heartbeat);
      this.heartbeat = setInterval(() => this.beat(socket), PING_MS);
    };
    socket.onmessage = (event: MessageEvent<string | ArrayBuffer>) => {
      if (this.socket !== socket) return;
      this.heardAt = Date.now();
      this.receive(event.data);
    };
    socket.onclose = () => {
      if (this.socket !== socket) return;
      clearInterval(this.heartbeat);
      this.setStatus("offline");
      if (!this.closed) this.retry = setTimeout(() => this.connect(), backoff(this.attempt++, Math.random()));
    };
  }

  /** A connection can die without a close frame: silence for two pings ends it. */
  private beat(socket: WebSocket): void {
    if (Date.now() - this.heardAt > SILENT_MS) socket.close();
    else if (socket.readyState === WebSocket.OPEN) socket.send('{"op":"ping"}');
  }

  receive(data: string | ArrayBuffer): void {
    if (typeof data !== "string") {
      const frame = decodeFrame(data);
      if (frame) this.applyFrame(frame);
      return;
    }
    const message = JSON.parse(data) as Message;
    if (message.op === "snapshot") this.applySnapshot(message);
    else if (message.op === "handles") this.announce(message);
    else if (message.op === "values") this.applyValues(message);
    else if (message.op === "event") this.applyEvent(message);
    else if (message.op === "resync") this.applyResync(message.seq);
  }

  private applySnapshot(message: SnapshotMessage): void {
    this.announce(message);
    if (typeof message.seq === "number" && this.since === null) this.since = message.seq;
    this.attempt = 0;
    this.setStatus("live");
  }

  private announce(message: SnapshotMessage): void {
    (message.handles ?? []).forEach((info, i) => {
      this.handles.set(info.handle, info);
      this.byPoint.set(info.point, info.handle);
      const triple = message.values?.[i];
      if (Array.isArray(triple)) this.store(info.handle, triple);
      this.dirty.add(info.handle);
    });
    for (const handle of message.removed ?? []) {
      const info = this.handles.get(handle);
      if (info) this.byPoint.delete(info.point);
      this.handles.delete(handle);
      this.now.delete(handle);
      this.dirty.add(handle);
    }
    this.schedule();
  }

  /** Values that are no f32 (text, big integers). */
  private applyValues(message: SnapshotMessage): void {
    for (const entry of (message.values ?? []) as { handle: number; value: unknown; ts: unknown; quality: unknown }[]) {
      this.store(entry.handle, [entry.value, entry.ts, entry.quality]);
    }
    this.schedule();
  }

  private store(handle: number, [value, ts, quality]: unknown[]): void {
    const time = typeof ts === "number" ? ts : typeof ts === "string" ? Date.parse(ts) : Number.NaN;
    if (Number.isNaN(time)) return;
    this.now.set(handle, { value: (value ?? null) as LiveValue["value"], ts: time, quality: toQuality(quality) });
    this.dirty.add(handle);
  }

  private applyFrame(frame: Frame): void {
    heardServerTime(frame.serverTime);
    for (let i = 0; i < frame.handles.length; i++) {
      const handle = frame.handles[i] ?? 0;
      const number = frame.values[i] ?? 0;
      const value = this.handles.get(handle)?.kind === "bool" ? number !== 0 : number;
      const quality = toQuality(frame.qualities[i]);
      const known = this.now.get(handle);
      // Who listens to a point tells by the object that it has changed; where nobody does, tens of thousands a second are spared.
      if (known && !this.valueListeners.get(handle)?.size) [known.value, known.ts, known.quality] = [value, frame.serverTime, quality];
      else this.now.set(handle, { value, ts: frame.serverTime, quality });
      this.dirty.add(handle);
    }
    this.schedule();
  }

  private applyEvent(event: LiveEvent): void {
    if (this.since !== null && event.seq <= this.since) return;
    this.since = event.seq;
    for (const listener of [...this.eventListeners]) listener(event);
  }

  private applyResync(seq: number | undefined): void {
    this.since = seq ?? null;
    for (const listener of [...this.resyncListeners]) listener();
    this.socket?.close();
  }

  private schedule(): void {
    if (this.frame) return;
    const asked = performance.now();
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.version++;
      const changed = this.takeDirty(performance.now() - asked > SLOW_MS ? Infinity : SLICE);
      if (this.dirty.size > 0) this.schedule();
      for (const handle of changed) for (const listener of this.valueListeners.get(handle) ?? []) listener();
      for (const listener of this.anyValue) listener(changed);
    });
  }

  private takeDirty(most: number): number[] {
    const taken: number[] = [];
    for (const handle of this.dirty) {
      if (taken.length >= most) break;
      taken.push(handle);
      this.dirty.delete(handle);
    }
    return taken;
  }

  private setStatus(status: LiveStatus): void {
    if (this.status === status) return;
    this.status = status;
    for (const listener of this.statusListeners) listener();
  }
}

const QUALITY_NAMES: Record<string, Quality> = { good: 0, uncertain: 1, bad: 2, stale: 3 };

export function toQuality(quality: unknown): Quality {
  if (typeof quality === "string") return QUALITY_NAMES[quality] ?? 2;
  return quality === 1 || quality === 2 || quality === 3 ? quality : 0;
}

function socketAddress(): string {
  return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/v1/live`;
}
