/** Nodes over the picture that say how devices are and what equipment measures. A node per label, kept. */
import type { Device, DeviceKind, DeviceState } from "./devices";

const SVG = "http://www.w3.org/2000/svg";
/** Symbols in a box of 16: fan blades, a pump, a door, a window, a lift, a valve. */
const PATHS: Record<DeviceKind, string> = {
  fan: "M8 7 C6 5 6 1.6 8.6 1.5 C10.6 1.6 10.4 5 9 7 Z M9 8 C11 6 14.4 6 14.5 8.6 C14.4 10.6 11 10.4 9 9 Z M8 9 C10 11 10 14.4 7.4 14.5 C5.4 14.4 5.6 11 7 9 Z M7 8 C5 10 1.6 10 1.5 7.4 C1.6 5.4 5 5.6 7 7 Z",
  pump: "M8 1.5 A6.5 6.5 0 1 0 8 14.5 A6.5 6.5 0 1 0 8 1.5 Z M8 3 L13 8 L8 13 Z",
  door: "M4 1.5 H12 V14.5 H4 Z M10 7.5 A0.9 0.9 0 1 0 10 9.3 A0.9 0.9 0 1 0 10 7.5 Z",
  window: "M2.5 2.5 H13.5 V13.5 H2.5 Z M7.3 4 H4 V7.3 H7.3 Z M12 4 H8.7 V7.3 H12 Z M7.3 8.7 H4 V12 H7.3 Z M12 8.7 H8.7 V12 H12 Z",
  lift: "M3 1.5 H13 V14.5 H3 Z M8 3.6 L5.4 7 H10.6 Z M8 12.4 L10.6 9 H5.4 Z",
  valve: "M2 3 L8 8 L2 13 Z M14 3 L8 8 L14 13 Z",
};
/** An open door stands ajar. */
const AJAR = "M3 1.5 H13 V14.5 H11.5 V3 H4.5 V14.5 H3 Z M4.5 3 L9.5 5 V14.5 L4.5 14.5 Z";

const nodes = new Map<string, HTMLElement>();

function node(key: string): HTMLElement {
  let element = nodes.get(key);
  if (!element) nodes.set(key, (element = document.createElement("div")));
  return element;
}

function icon(path: string): SVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  const shape = document.createElementNS(SVG, "path");
  shape.setAttribute("d", path);
  shape.setAttribute("fill-rule", "evenodd");
  svg.append(shape);
  return svg;
}

/** A room's name, over its value where it has one. */
export function roomNode(globalId: string, name: string, value: string): HTMLElement {
  const element = node(`room:${globalId}`);
  const text = value ? `${name}\n${value}` : name;
  if (element.dataset["text"] === text) return element;
  element.dataset["text"] = text;
  element.className = "marker marker-room";
  const label = document.createElement("span");
  label.textContent = name;
  element.replaceChildren(label, ...(value ? [bold(value)] : []));
  return element;
}

/** A device with its state in words for those who do not see the symbol, and its value where it has one. */
export function deviceNode(device: Device, state: DeviceState, said: string, value: string): HTMLElement {
  const element = node(`device:${device.globalId}`);
  const text = `${state}|${said}|${value}`;
  if (element.dataset["text"] === text) return element;
  element.dataset["text"] = text;
  element.className = `marker marker-device is-${device.kind} state-${state}`;
  element.title = `${device.name} · ${said}`;
  const words = document.createElement("span");
  words.className = "sr-only";
  words.textContent = `${device.name} ${said}`;
  const open = state === "open" && (device.kind === "door" || device.kind === "window");
  element.replaceChildren(icon(open ? AJAR : PATHS[device.kind]), words, ...(value ? [bold(value)] : []));
  return element;
}

/** What a piece of equipment measures, beside it. */
export function valueNode(globalId: string, value: string): HTMLElement {
  const element = node(`value:${globalId}`);
  if (element.dataset["text"] === value) return element;
  element.dataset["text"] = value;
  const told = element.firstElementChild?.firstChild as Text | null | undefined;
  if (told) told.data = value; // many labels are told a few times a second
  else {
    element.className = "marker marker-value";
    element.replaceChildren(bold(value));
  }
  return element;
}

/** How many alarms a storey has, and how bad the worst is. */
export function storeyNode(storey: string, name: string, count: number, severity: string, said: string): HTMLElement {
  const element = node(`storey:${storey}`);
  const text = `${name}|${count}|${severity}`;
  if (element.dataset["text"] === text) return element;
  element.dataset["text"] = text;
  element.className = `marker marker-storey sev-${severity}`;
  element.title = said;
  const words = document.createElement("span");
  words.textContent = name;
  element.replaceChildren(words, bold(String(count)));
  return element;
}

function bold(text: string): HTMLElement {
  const element = document.createElement("b");
  element.textContent = text;
  return element;
}
