/** Colouring rules from the values that elements have: a colour for each of a few, classes for many numbers. Pure. */
import { PALETTE, type Rule } from "../scene/rules";

export interface Valued {
  value: string | null;
  count: number;
  query: string;
}

const MOST = PALETTE.length - 1; // the last colour is for the rest
/** Light to dark, told apart with every colour blindness (viridis, from the yellow end to violet). */
const SCALE: readonly string[] = ["#fde725", "#90d743", "#35b779", "#21918c", "#31688e", "#443983", "#440154"];

/** `key` is the property as a query writes it. What has no value takes no colour. */
export function rulesByValue(key: string, found: readonly Valued[], others: string): Rule[] {
  const valued = found.filter((one): one is Valued & { value: string } => one.value !== null);
  if (valued.length > MOST && valued.every((one) => isNumber(one.value))) return classes(key, valued);
  const shown = valued.toSorted((a, b) => b.count - a.count).slice(0, MOST).toSorted((a, b) => natural(a.value, b.value));
  const rules = shown.map((one, i): Rule => ({ query: one.query, colour: PALETTE[i] ?? "#7f7f7f", label: one.value }));
  return valued.length > MOST ? [...rules, { query: `${key}:any`, colour: PALETTE[MOST] ?? "#7f7f7f", label: others }] : rules;
}

const isNumber = (text: string): boolean => text.trim() !== "" && Number.isFinite(Number(text));
const collator = new Intl.Collator(undefined, { numeric: true });
/** Numbers by size, anything else as people order it: "Level 2" before "Level 10". */
export const natural = (a: string, b: string): number => (isNumber(a) && isNumber(b) ? Number(a) - Number(b) : collator.compare(a, b));

/** Classes of about as many elements each, between numbers as round as still tell them apart. */
function classes(key: string, valued: readonly { value: string; count: number }[]): Rule[] {
  const numbers = valued.map((one) => [Number(one.value), one.count] as const).toSorted(([a], [b]) => a - b);
  const total = numbers.reduce((sum, [, count]) => sum + count, 0);
  const least = numbers[0]?.[0] ?? 0;
  const most = numbers.at(-1)?.[0] ?? 0;
  const exact = new Set<number>();
  let before = 0;
  for (const [number, count] of numbers) {
    if (Math.floor((before * SCALE.length) / total) < Math.floor(((before + count) * SCALE.length) / total) && number > least) exact.add(number);
    before += count;
  }
  const rounded = (digits: number): number[] => [...new Set([...exact].map((one) => Number(one.toPrecision(digits))))].filter((one) => one > least && one <= most).toSorted((a, b) => a - b);
  const digits = [2, 3, 4, 6, 9].find((one) => rounded(one).length === exact.size) ?? 12;
  const bounds = rounded(digits).slice(0, SCALE.length - 1);
  return [...bounds, null].map((to, i): Rule => {
    const from = i > 0 ? (bounds[i - 1] ?? null) : null;
    return {
      query: [from === null ? "" : `${key}>=${from}`, to === null ? "" : `${key}<${to}`].filter(Boolean).join(" "),
      label: from === null ? `< ${to}` : to === null ? `≥ ${from}` : `${from} – ${to}`,
      colour: SCALE[Math.round((i * (SCALE.length - 1)) / Math.max(1, bounds.length))] ?? "#440154",
    };
  });
}
