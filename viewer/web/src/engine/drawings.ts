/**
 * Lines, areas and handles over the picture, as SVG: measurements and section planes.
 *
 * Sharp at every zoom, styled by the page, and handles are reached by touch and keyboard like any other control.
 */
import { add, basis, dot, scale, sub, type V3 } from "./rig";
import type { Drawing, Handle, Vec3 } from "./types";

const SVG = "http://www.w3.org/2000/svg";
const NEAR = 0.06; // m before the eye
const KEY_STEP = 0.1; // m

export interface DrawingHost {
  project(point: Vec3): { x: number; y: number } | null;
  /** Eye and view direction in the building frame; no eye without perspective. */
  eye(): { at: Vec3 | null; forward: Vec3 };
  /** The line of sight through a canvas position, building frame. */
  ray(x: number, y: number): { from: Vec3; along: Vec3 };
}

/** A line as the picture shows it: what lies behind the eye is cut off. Screen positions in pieces. */
export function visiblePieces(
  points: readonly Vec3[], eye: { at: Vec3 | null; forward: Vec3 }, project: DrawingHost["project"],
): { x: number; y: number }[][] {
  const pieces: { x: number; y: number }[][] = [];
  let piece: { x: number; y: number }[] = [];
  const depth = (p: Vec3): number => (eye.at ? dot(sub(p, eye.at), eye.forward) : 1);
  const put = (p: Vec3): void => {
    const seen = project(p);
    if (seen) piece.push(seen);
  };
  points.forEach((p, i) => {
    const before = i > 0 ? (points[i - 1] as Vec3) : null;
    const [now, was] = [depth(p), before ? depth(before) : NaN];
    if (before && was < NEAR !== now < NEAR) {
      const t = (NEAR - was) / (now - was);
      put(add(before, scale(sub(p, before), t)));
    }
    if (now >= NEAR) put(p);
    else if (piece.length > 0) {
      pieces.push(piece);
      piece = [];
    }
  });
  if (piece.length > 0) pieces.push(piece);
  return pieces;
}

/** Metres along an axis through `origin` to where it passes a line of sight most closely; null where they are parallel. */
export function alongAxis(origin: Vec3, axis: Vec3, ray: { from: Vec3; along: Vec3 }): number | null {
  const w = sub(origin, ray.from);
  const [a, b, c] = [dot(axis, axis), dot(axis, ray.along), dot(ray.along, ray.along)];
  const det = a * c - b * b;
  if (det < 1e-3 * a * c) return null;
  return (b * dot(ray.along, w) - c * dot(axis, w)) / det;
}

export class Drawings {
  readonly #host: DrawingHost;
  readonly #svg: SVGSVGElement;
  readonly #lines: SVGGElement;
  readonly #knobs: SVGGElement;
  readonly #nodes = new Map<string, SVGGElement>();
  readonly #handles = new Map<string, { handle: Handle; node: SVGGElement }>();
  #drawings: readonly Drawing[] = [];

  constructor(overlay: HTMLElement, host: DrawingHost) {
    this.#host = host;
    this.#svg = document.createElementNS(SVG, "svg");
    this.#svg.setAttribute("class", "scene-drawings");
    this.#svg.style.cssText = "position:absolute;inset:0;width:100%;height:100%;overflow:hidden;pointer-events:none";
    this.#lines = this.#svg.appendChild(document.createElementNS(SVG, "g"));
    this.#knobs = this.#svg.appendChild(document.createElementNS(SVG, "g"));
    overlay.append(this.#svg);
  }

  /** Show exactly these. */
  set(drawings: readonly Drawing[]): void {
    this.#drawings = drawings;
    const wanted = new Set(drawings.map((one) => one.id));
    for (const [id, node] of this.#nodes)
      if (!wanted.has(id)) {
        node.remove();
        this.#nodes.delete(id);
      }
    this.update();
  }

  /** Let exactly these be dragged. A handle whose id stays keeps its node, and the finger on it. */
  setHandles(handles: readonly Handle[]): void {
    const wanted = new Set(handles.map((one) => one.id));
    for (const [id, { node }] of this.#handles)
      if (!wanted.has(id)) {
        node.remove();
        this.#handles.delete(id);
      }
    for (const handle of handles) {
      const known = this.#handles.get(handle.id);
      if (known) known.handle = handle;
      else this.#handles.set(handle.id, { handle, node: this.#makeHandle(handle.id) });
    }
    this.update();
  }

  /** Where everything is now; after each frame. */
  update(): void {
    if (this.#drawings.length === 0 && this.#handles.size === 0) return;
    const eye = this.#host.eye();
    for (const drawing of this.#drawings) this.#draw(drawing, eye);
    for (const { handle, node } of this.#handles.values()) this.#placeHandle(handle, node);
  }

  #draw(drawing: Drawing, eye: { at: Vec3 | null; forward: Vec3 }): void {
    let node = this.#nodes.get(drawing.id);
    if (!node) {
      node = this.#lines.appendChild(document.createElementNS(SVG, "g"));
      for (const name of ["path", "g", "text"]) node.append(document.createElementNS(SVG, name));
      this.#nodes.set(drawing.id, node);
    }
    node.setAttribute("class", `drawing ${drawing.className ?? ""}`);
    const [path, dots, text] = node.children as unknown as [SVGPathElement, SVGGElement, SVGTextElement];
    const points = drawing.closed && drawing.points.length > 2 ? [...drawing.points, drawing.points[0] as Vec3] : drawing.points;
    const pieces = visiblePieces(points, eye, (p) => this.#host.project(p));
    path.setAttribute("d", pieces.map((piece) => piece.map(({ x, y }, i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("")).join(""));
    this.#dot(dots, drawing);
    const at = drawing.label ? this.#host.project(drawing.label.at) : null;
    text.style.display = at ? "" : "none";
    if (at && drawing.label) {
      text.setAttribute("x", at.x.toFixed(1));
      text.setAttribute("y", (at.y - 8).toFixed(1));
      if (text.textContent !== drawing.label.text) text.textContent = drawing.label.text;
    }
  }

  #dot(group: SVGGElement, { points, dots }: Drawing): void {
    const wanted = dots ? points : [];
    while (group.childElementCount > wanted.length) group.lastElementChild?.remove();
    while (group.childElementCount < wanted.length) group.append(document.createElementNS(SVG, "circle"));
    wanted.forEach((point, i) => {
      const circle = group.children[i] as SVGCircleElement;
      const at = this.#host.project(point);
      circle.style.display = at ? "" : "none";
      if (!at) return;
      circle.setAttribute("cx", at.x.toFixed(1));
      circle.setAttribute("cy", at.y.toFixed(1));
      circle.setAttribute("r", "3.5");
    });
  }

  #makeHandle(id: string): SVGGElement {
    const node = this.#knobs.appendChild(document.createElementNS(SVG, "g"));
    node.setAttribute("class", "drawing-handle");
    node.setAttribute("tabindex", "0");
    node.setAttribute("role", "slider");
    node.style.cssText = "pointer-events:auto;touch-action:none";
    for (const [name, r] of [["line", 0], ["circle", 16], ["circle", 7]] as const) {
      const part = node.appendChild(document.createElementNS(SVG, name));
      if (r) part.setAttribute("r", String(r));
      if (r === 16) part.setAttribute("class", "handle-reach");
    }
    const handle = (): Handle | undefined => this.#handles.get(id)?.handle;
    let grabbed: { origin: Vec3; axis: Vec3; from: number; y: number } | null = null;
    node.addEventListener("pointerdown", (event) => {
      const now = handle();
      if (!now || event.button !== 0) return;
      event.stopPropagation();
      node.setPointerCapture(event.pointerId);
      grabbed = { origin: now.position, axis: now.axis, from: this.#metres(event, now.position, now.axis) ?? 0, y: event.clientY };
      now.onDrag(0, "start");
    });
    node.addEventListener("pointermove", (event) => {
      if (!grabbed) return;
      // An axis that runs along the line of sight is moved by up and down.
      const metres = this.#metres(event, grabbed.origin, grabbed.axis);
      handle()?.onDrag(metres === null ? (grabbed.y - event.clientY) * 0.02 : metres - grabbed.from, "move");
    });
    const end = (): void => {
      if (grabbed) handle()?.onDrag(NaN, "end");
      grabbed = null;
    };
    node.addEventListener("pointerup", end);
    node.addEventListener("pointercancel", end);
    node.addEventListener("keydown", (event) => {
      const sign = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1 }[event.key];
      if (!sign) return;
      event.preventDefault();
      event.stopPropagation();
      handle()?.onDrag(0, "start");
      handle()?.onDrag(sign * KEY_STEP * (event.shiftKey ? 10 : 1), "move");
      handle()?.onDrag(NaN, "end");
    });
    return node;
  }

  #metres(event: PointerEvent, origin: Vec3, axis: Vec3): number | null {
    const box = this.#svg.getBoundingClientRect();
    return alongAxis(origin, axis, this.#host.ray(event.clientX - box.left, event.clientY - box.top));
  }

  #placeHandle({ position, axis, label, value }: Handle, node: SVGGElement): void {
    const at = this.#host.project(position);
    const tip = this.#host.project(add(position, axis));
    node.style.display = at ? "" : "none";
    if (!at) return;
    node.setAttribute("transform", `translate(${at.x.toFixed(1)} ${at.y.toFixed(1)})`);
    node.setAttribute("aria-label", label);
    node.setAttribute("aria-valuenow", value.toFixed(2));
    const line = node.firstElementChild as SVGLineElement;
    const [dx, dy] = tip ? [tip.x - at.x, tip.y - at.y] : [0, 0];
    const long = Math.hypot(dx, dy);
    const reach = long > 4 ? 26 / long : 0;
    line.setAttribute("x2", (dx * reach).toFixed(1));
    line.setAttribute("y2", (dy * reach).toFixed(1));
  }

  dispose(): void {
    this.#svg.remove();
  }
}

/** Where a camera looks from, as drawings want to know it. */
export const eyeOf = (pose: { eye: V3; yaw: number; pitch: number; ortho: boolean }, toBuilding: (p: V3) => Vec3): { at: Vec3 | null; forward: Vec3 } =>
  ({ at: pose.ortho ? null : toBuilding(pose.eye), forward: basis(pose.yaw, pose.pitch).forward });
