/** What all charts of the page have in common: the stretch of time and the moment under the cursor. */
import { createStore, type Store } from "../../lib/store";
import type { Span } from "./ranges";

export interface Shown {
  span: Store<Span>;
  /** s; null: no cursor. */
  cursor: Store<number | null>;
}

export const createShown = (span: Span): Shown => ({ span: createStore(span), cursor: createStore<number | null>(null) });
