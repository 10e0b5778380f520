/** Colouring by rules: which element takes which colour, and how many each rule found. Pure. */
import type { Rgb } from "../../engine";

export interface Rule {
  query: string;
  /** #rrggbb */
  colour: string;
  label: string;
}

/** Told apart with every common colour blindness (Okabe and Ito), strong first. */
export const PALETTE: readonly string[] = ["#d55e00", "#0072b2", "#009e73", "#e69f00", "#cc79a7", "#56b4e9", "#f0e442", "#7f7f7f"];

export function rgbOf(colour: string): Rgb {
  const n = Number.parseInt(colour.slice(1), 16);
  return [(n >> 16) & 255, (n >> 8) & 255, n & 255];
}

/** Of several rules that find an element the first counts. `counts` are the elements that take the colour. */
export function paintOf(rules: readonly Rule[], found: readonly (readonly string[])[]): { colours: Map<string, Rgb>; counts: number[] } {
  const colours = new Map<string, Rgb>();
  const counts = rules.map((rule, i) => {
    const colour = rgbOf(rule.colour);
    const before = colours.size;
    for (const id of found[i] ?? []) if (!colours.has(id)) colours.set(id, colour);
    return colours.size - before;
  });
  return { colours, counts };
}
