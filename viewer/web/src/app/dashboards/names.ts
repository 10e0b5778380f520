/** Names as a legend needs them. Pure. */

const PART = " · ";

/** Names without the last part that all of them share: "Hall · temperature", "Lobby · temperature" are "Hall", "Lobby". */
export function shortNames(names: readonly string[]): readonly string[] {
  const tails = new Set(names.map((name) => name.slice(name.lastIndexOf(PART))));
  if (names.length < 2 || tails.size > 1 || names.some((name) => name.lastIndexOf(PART) < 1)) return names;
  const short = names.map((name) => name.slice(0, name.lastIndexOf(PART)));
  return new Set(short).size === new Set(names).size ? short : names;
}
