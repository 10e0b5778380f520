/** Names and symbols over the 3D view for an answer of the spatial graph. */
import type { Marker } from "../../engine";
import type { SceneLabel } from "./state";

const PRIORITY: Record<SceneLabel["kind"], number> = { start: 40, end: 40, stop: 38, shut: 30, door: 20, room: 15 };
/** Two triangles tip to tip: the drawing symbol of a valve; read as "shut here" for breakers too. */
const SHUT = "M2 3 L8 8 L2 13 Z M14 3 L8 8 L14 13 Z";
const PIN = "M8 15 C4 10 2.5 8.2 2.5 6 A5.5 5.5 0 0 1 13.5 6 C13.5 8.2 12 10 8 15 Z";
const SVG = "http://www.w3.org/2000/svg";

const nodes = new Map<string, HTMLElement>();

function labelNode(label: SceneLabel): HTMLElement {
  const key = `${label.kind}:${label.id}`;
  let element = nodes.get(key);
  if (!element) nodes.set(key, (element = document.createElement("div")));
  element.className = `marker marker-spatial is-${label.kind}`;
  const said = [label.mark, label.text].join(" ");
  if (element.dataset["text"] === said) return element;
  element.dataset["text"] = said;
  const text = document.createElement("span");
  text.textContent = label.text;
  const path = label.kind === "shut" ? SHUT : label.kind === "start" || label.kind === "end" ? PIN : null;
  element.replaceChildren(...(path ? [icon(path)] : []), ...(label.mark ? [markNode(label.mark)] : []), text);
  return element;
}

function markNode(mark: string): HTMLElement {
  const node = document.createElement("b");
  node.textContent = mark;
  return node;
}

function icon(path: string): SVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  const shape = document.createElementNS(SVG, "path");
  shape.setAttribute("d", path);
  svg.append(shape);
  return svg;
}

export function pictureMarkers(labels: readonly SceneLabel[], select: (globalId: string) => void): Marker[] {
  return labels.slice(0, 300).map((label) => {
    const { globalId } = label;
    return {
      id: `spatial:${label.id}`, element: labelNode(label), priority: PRIORITY[label.kind],
      pinned: ["start", "end", "stop"].includes(label.kind),
      ...(label.position ? { position: label.position } : globalId ? { globalId } : {}),
      ...(globalId ? { onClick: () => select(globalId) } : {}),
    };
  });
}
