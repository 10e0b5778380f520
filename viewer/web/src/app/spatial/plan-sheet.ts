/** A storey's sheet as the server draws it: fetched, put into a shadow root, one element marked. No React, no scene. */
import { ApiError, url } from "../../api/client";
import { NONCE } from "../lib/nonce";

/** What is chosen, in the sheet's own sheet of styles: nothing of it leaks into the page. */
const CHOSEN = "path.is-chosen{stroke:#d9480f!important;stroke-width:2.5px!important;vector-effect:non-scaling-stroke}g.is-chosen{stroke:#d9480f!important;stroke-width:.4!important}text.is-chosen{fill:#d9480f!important}[data-global-id]{cursor:pointer}:host{display:block}svg{width:100%;height:100%;display:block;touch-action:none}";

export async function sheet(building: string, storey: string, query: Record<string, string>, signal?: AbortSignal): Promise<string> {
  const response = await fetch(url(`/buildings/${building}/plan/${storey}.svg`, query), { credentials: "same-origin", signal: signal ?? null });
  if (response.ok) return response.text();
  const { code, detail } = (await response.json().catch(() => ({}))) as { code?: string; detail?: string };
  throw new ApiError(response.status, code ?? `http.${response.status}`, detail ?? `HTTP ${response.status}`);
}

/** Put the sheet into a shadow root: its class names are its own. Returns null for what is no SVG. */
export function mount(host: HTMLElement, svg: string): SVGSVGElement | null {
  // The page's policy holds for what is parsed, too: a sheet of styles needs the nonce there already, and a style
  // attribute is refused, but what a script sets is not.
  const parsed = new DOMParser().parseFromString(svg.replaceAll(' style="', ' data-style="').replaceAll("<style>", `<style nonce="${NONCE}">`), "image/svg+xml").documentElement;
  if (!(parsed instanceof SVGSVGElement)) return null;
  const root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  const drawing = document.importNode(parsed, true);
  for (const script of drawing.querySelectorAll("script, foreignObject")) script.remove();
  for (const style of drawing.querySelectorAll("style")) style.setAttribute("nonce", NONCE);
  for (const one of drawing.querySelectorAll<SVGElement>("[data-style]")) one.style.cssText = one.dataset["style"] ?? "";
  const own = document.createElement("style");
  own.textContent = CHOSEN;
  drawing.removeAttribute("width");
  drawing.removeAttribute("height");
  drawing.append(own); // within the drawing: axe copies sheets that are children of the root, against the page's policy
  root.replaceChildren(drawing);
  return drawing;
}

/** Marks what stands for an element; those that do. */
export function mark(drawing: SVGSVGElement, ...chosen: readonly string[]): SVGGraphicsElement[] {
  const found: SVGGraphicsElement[] = [];
  for (const one of drawing.querySelectorAll<SVGGraphicsElement>("[data-global-id]")) {
    const is = chosen.includes(one.getAttribute("data-global-id") ?? "");
    one.classList.toggle("is-chosen", is);
    if (is) found.push(one);
  }
  return found;
}
