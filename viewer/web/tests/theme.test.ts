/** Every text of both themes is read on everything it stands on: WCAG 2.2, 1.4.3 and 1.4.11. */
import { describe, expect, it } from "vitest";
import { PALETTES, type Mode } from "../src/app/theme";

const luminance = (hex: string): number =>
  [1, 3, 5].reduce((sum, at, i) => {
    const c = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return sum + (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4) * ([0.2126, 0.7152, 0.0722][i] ?? 0);
  }, 0);

const contrast = (a: string, b: string): number => {
  const [high, low] = [luminance(a), luminance(b)].toSorted((x, y) => y - x) as [number, number];
  return (high + 0.05) / (low + 0.05);
};

describe.each(["light", "dark"] as Mode[])("%s theme", (mode) => {
  const p = PALETTES[mode];
  const grounds = ["bg", "surface", "raised", "sunken", "accentSoft"] as const;
  it.each(["text", "text2", "text3", "accent", "critical", "high", "medium", "ok", "low"] as const)("%s is legible", (name) => {
    for (const ground of grounds) expect(contrast(p[name], p[ground]), `on ${ground}`).toBeGreaterThanOrEqual(4.5);
  });
  it.each([["ok", "okSoft"], ["critical", "criticalSoft"], ["high", "highSoft"], ["medium", "mediumSoft"], ["low", "lowSoft"], ["onAccent", "accent"]] as const)("%s on %s is legible", (text, ground) => {
    expect(contrast(p[text], p[ground])).toBeGreaterThanOrEqual(4.5);
  });
});
