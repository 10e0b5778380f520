/** Helps while one types a query: what the word at the end may become. Pure. */

export interface Words {
  keys: readonly string[];
  has: readonly string[];
  classes: readonly string[];
  storeys: readonly string[];
  systems: readonly string[];
  properties: readonly string[];
  searches: readonly string[];
}

/** A value of the language: in quotes where it has to be. */
export function quoted(text: string): string {
  return /^[^\s()",:=~<>!*-][^\s()",:=~<>!*]*$/.test(text) && !["OR", "AND", "NOT"].includes(text) ? text : `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

/** What elements of the same value have: a value of the language; null for what is no text, number, true or false. */
export function sameValue(value: unknown): string | null {
  if (typeof value === "number" || typeof value === "boolean") return quoted(String(value));
  if (typeof value !== "string" || value === "" || value.length > 500) return null;
  return quoted(/^(none|any)$/i.test(value) ? `${value}*` : value); // the bare words ask whether there is a value
}

const POWERS: Readonly<Record<string, string>> = { "2": "²", "3": "³", "4": "⁴" };

/** A unit as people write it: `W/(m2·K)` is W/(m²·K). */
export const unitSign = (unit: string): string => unit.replace(/(\p{L})([234])(?![\p{L}\d])/gu, (_, letter: string, power: string) => letter + (POWERS[power] ?? power));

/** A property as a key: each part in quotes where it has to be. */
export function propertyKey(path: string): string {
  const dot = path.indexOf(".");
  if (dot < 0) return quoted(path);
  const plain = (part: string): string => (/^[^\s()",:=~<>!]+$/.test(part) ? part : `"${part.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`);
  return `${plain(path.slice(0, dot))}.${plain(path.slice(dot + 1))}`;
}

/** Properties, and before them those that several sets have, as of any set. */
export function withAnySet(properties: readonly string[]): string[] {
  const sets = new Map<string, number>();
  for (const path of properties) {
    const name = path.slice(path.indexOf(".") + 1);
    sets.set(name, (sets.get(name) ?? 0) + 1);
  }
  return [...[...sets].filter(([, count]) => count > 1).map(([name]) => `*.${name}`).toSorted(), ...properties];
}

const VALUES: Partial<Record<string, (words: Words) => readonly string[]>> = {
  has: (words) => words.has,
  class: (words) => words.classes,
  is: (words) => words.classes,
  storey: (words) => words.storeys,
  system: (words) => words.systems,
  in: (words) => words.searches,
};

/** Whole texts that may follow: the last word made longer. At most `limit`. */
export function suggestions(text: string, words: Words, limit = 12): string[] {
  const start = lastWord(text);
  const head = text.slice(0, start);
  const word = text.slice(start).replace(/^[-(]+/, (lead) => lead);
  const lead = /^[-(]*/.exec(word)?.[0] ?? "";
  const bare = word.slice(lead.length);
  if (!bare) return [];
  const op = /^([^":=~<>!]+)(:|!=|=|~)(.*)$/s.exec(bare);
  if (op) {
    const [, key = "", sign = "", typed = ""] = op;
    const last = typed.slice(typed.lastIndexOf(",") + 1).replace(/^"/, "").toLowerCase();
    const before = typed.slice(0, typed.lastIndexOf(",") + 1);
    const known = VALUES[key.toLowerCase()]?.(words) ?? [];
    return known.filter((one) => one.toLowerCase().includes(last) && one.toLowerCase() !== last).slice(0, limit).map((one) => `${head}${lead}${key}${sign}${before}${quoted(one)}`);
  }
  const low = bare.replaceAll('"', "").toLowerCase();
  const keys = words.keys.filter((one) => one.startsWith(low)).map((one) => (one === "own" || one === "live" ? `${one}.` : `${one}:`));
  const classes = low.length > 1 ? words.classes.filter((one) => one.toLowerCase().includes(low)).map((one) => `class:${one}`) : [];
  const properties = low.length > 1 ? words.properties.filter((one) => one.toLowerCase().includes(low)).map((one) => `${propertyKey(one)}:`) : [];
  return [...keys, ...classes, ...properties].slice(0, limit).map((one) => `${head}${lead}${one}`);
}

/** Where the last word begins; blanks within quotes belong to it. */
function lastWord(text: string): number {
  let start = 0;
  let inside = false;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '"') inside = !inside;
    else if (!inside && /\s/.test(text[i] ?? "")) start = i + 1;
  }
  return start;
}

/** Whether a text uses the language; else the plain words of a search box. */
export const isQuery = (text: string): boolean => /[:=~<>"()]|(^|\s)(OR|AND|NOT|-\S)/.test(text);
