import { useState } from "react";

/** The list as it was, for as long as its entries are the same: lists that are made anew each time then work as a dependency. */
export function useSame<T>(list: readonly T[]): readonly T[] {
  const [kept, setKept] = useState(list);
  if (kept === list || (kept.length === list.length && kept.every((one, i) => Object.is(one, list[i])))) return kept;
  setKept(list);
  return list;
}
