/** HTML labels over the picture: they follow their anchors, and give way to each other where they would overlap. */
import type { Marker, Vec3 } from "./types";

interface Placed {
  marker: Marker;
  readonly node: HTMLElement;
  anchor: Vec3 | null;
  width: number;
  height: number;
  shown: boolean;
  /** What its size depends on, as it was measured last. */
  said: string | null;
}

export interface Label {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly priority: number;
  readonly pinned: boolean;
}

const GAP = 2;
const [WIDE, HIGH] = [64, 22]; // px, what is taken for the size of a label that was never shown
const SLACK = 3; // px that a label may be larger than it was thought
const CELL = 64;

/** Which labels stay: pinned ones always, then by priority, then in the given order. Centre bottom is (x, y). */
export function declutter(labels: readonly Label[]): boolean[] {
  const keep = new Array<boolean>(labels.length).fill(false);
  const order = labels.map((_, i) => i).sort((a, b) => rank(labels[b] as Label) - rank(labels[a] as Label) || a - b);
  const cells = new Map<string, number[]>();
  for (const i of order) {
    const label = labels[i] as Label;
    const near: string[] = [];
    for (let cx = Math.floor((label.x - label.width / 2) / CELL); cx <= Math.floor((label.x + label.width / 2) / CELL); cx++)
      for (let cy = Math.floor((label.y - label.height) / CELL); cy <= Math.floor(label.y / CELL); cy++) near.push(`${cx},${cy}`);
    const free = near.every((cell) => (cells.get(cell) ?? []).every((other) => !overlap(label, labels[other] as Label)));
    if (!free && !label.pinned) continue;
    keep[i] = true;
    for (const cell of near) cells.set(cell, [...(cells.get(cell) ?? []), i]);
  }
  return keep;
}

/** As many characters of the same kind take the same room, but for a pixel. */
const lengthOf = ({ firstElementChild, textContent }: HTMLElement): string => `${firstElementChild?.className ?? ""} ${textContent.length}`;

const rank = (label: Label): number => (label.pinned ? 1e12 : 0) + label.priority;
const overlap = (a: Label, b: Label): boolean =>
  Math.abs(a.x - b.x) < (a.width + b.width) / 2 + GAP && a.y - a.height < b.y + GAP && b.y - b.height < a.y + GAP;

export class Markers {
  readonly #layer: HTMLElement;
  readonly #placed = new Map<string, Placed>();
  #measured = true;

  constructor(overlay: HTMLElement) {
    this.#layer = document.createElement("div");
    this.#layer.className = "scene-markers";
    this.#layer.style.cssText = "position:absolute;inset:0;overflow:hidden;pointer-events:none;contain:strict";
    overlay.append(this.#layer);
  }

  /** Show exactly these; a marker whose id stays keeps its node. */
  set(markers: readonly Marker[]): void {
    const before = new Map(this.#placed);
    this.#placed.clear();
    for (const marker of markers) {
      const old = before.get(marker.id);
      before.delete(marker.id);
      const placed = old ?? { marker, node: this.#makeNode(), anchor: null, width: WIDE, height: HIGH, shown: true, said: null };
      if (!old || old.marker.html !== marker.html || old.marker.element !== marker.element) this.#fill(placed.node, marker);
      placed.node.style.pointerEvents = marker.onClick ? "auto" : "none";
      placed.node.style.cursor = marker.onClick ? "pointer" : "";
      placed.node.onclick = marker.onClick ? () => marker.onClick?.() : null;
      placed.node.dataset["marker"] = marker.id;
      placed.marker = marker;
      this.#placed.set(marker.id, placed);
    }
    for (const { node } of before.values()) node.remove();
    this.#measured = false;
  }

  #makeNode(): HTMLElement {
    const node = document.createElement("div");
    node.style.cssText = "position:absolute;left:0;top:0;will-change:transform;white-space:nowrap";
    this.#layer.append(node);
    return node;
  }

  #fill(node: HTMLElement, marker: Marker): void {
    if (marker.element) node.replaceChildren(marker.element);
    else node.innerHTML = marker.html ?? "";
  }

  /** Move every label to where `project` says; `anchorOf` finds an element's anchor. Call after the camera moved. */
  update(anchorOf: (globalId: string) => Vec3 | null, project: (point: Vec3) => { x: number; y: number } | null): void {
    if (this.#placed.size === 0) return;
    const seen: { placed: Placed; label: Label }[] = [];
    for (const placed of this.#placed.values()) {
      const { marker } = placed;
      placed.anchor = marker.position ?? (marker.globalId ? anchorOf(marker.globalId) : null);
      const at = placed.anchor ? project(placed.anchor) : null;
      if (!at) this.#show(placed, false);
      else seen.push({ placed, label: {
        ...at, width: placed.width, height: placed.height, priority: marker.priority ?? 0, pinned: marker.pinned ?? false } });
    }
    const keep = declutter(seen.map((s) => s.label));
    seen.forEach(({ placed, label }, i) => {
      this.#show(placed, keep[i] as boolean);
      if (keep[i])
        placed.node.style.transform = `translate(${label.x.toFixed(1)}px,${label.y.toFixed(1)}px) translate(-50%,-100%)`;
    });
    if (!this.#measured && this.#measure(seen.filter((_, i) => keep[i]).map(({ placed }) => placed))) this.update(anchorOf, project);
  }

  /**
   * See how large those are that are shown and say something else than before; whether any takes more room. The browser must lay
   * out what is asked for: those that are shown it lays out anyway, the others are taken to be as large as they were, or as most are.
   */
  #measure(shown: readonly Placed[]): boolean {
    let grown = false;
    for (const placed of shown) {
      const said = lengthOf(placed.node);
      if (placed.said === said) continue;
      placed.said = said;
      const { offsetWidth, offsetHeight } = placed.node;
      grown ||= offsetWidth > placed.width + SLACK || offsetHeight > placed.height + SLACK;
      [placed.width, placed.height] = [offsetWidth, offsetHeight];
    }
    this.#measured = true;
    return grown;
  }

  #show(placed: Placed, shown: boolean): void {
    if (placed.shown === shown) return;
    placed.shown = shown;
    placed.node.style.display = shown ? "" : "none";
  }

  dispose(): void {
    this.#layer.remove();
    this.#placed.clear();
  }
}
