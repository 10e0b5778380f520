/** Which commands a few typed letters mean, best first. Pure. */

/** How well `typed` fits a label: 0 not at all; the start of a word counts more than the middle, letters in order least. */
export function fit(label: string, typed: string): number {
  const text = label.toLowerCase();
  const wanted = typed.toLowerCase().trim();
  if (!wanted) return 1;
  const at = text.indexOf(wanted);
  if (at === 0) return 4;
  if (at > 0) return /[\s·/,(-]/.test(text[at - 1] ?? "") ? 3 : 2;
  let from = 0;
  for (const letter of wanted) {
    const next = text.indexOf(letter, from);
    if (next < 0) return 0;
    from = next + 1;
  }
  return 1;
}

/** What fits, best first; what fits as well keeps its order. */
export function ranked<T extends { label: string }>(all: readonly T[], typed: string): T[] {
  return all.map((one, i) => ({ one, i, score: fit(one.label, typed) })).filter(({ score }) => score > 0)
    .toSorted((a, b) => b.score - a.score || a.i - b.i).map(({ one }) => one);
}
