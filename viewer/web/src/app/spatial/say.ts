/** Texts that the server sends in both languages, and things it names in several ways. */
import { useCallback } from "react";
import { useTranslation } from "react-i18next";

const KEYS = ["text", "name", "title", "label", "kind", "code"] as const;

/** A text in the reader's language out of `{zh, en}`, a plain string, or an object that has one. */
export function textIn(thing: unknown, language: string): string {
  if (typeof thing === "string") return thing;
  if (typeof thing !== "object" || thing === null) return "";
  const known = thing as Record<string, unknown>;
  const own = known[language.startsWith("zh") ? "zh" : "en"];
  if (typeof own === "string") return own;
  for (const key of KEYS) {
    const text = textIn(known[key], language);
    if (text) return text;
  }
  return "";
}

export function useSay(): (thing: unknown) => string {
  const { i18n } = useTranslation();
  return useCallback((thing) => textIn(thing, i18n.language), [i18n.language]);
}
