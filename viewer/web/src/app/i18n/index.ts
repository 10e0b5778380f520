/** Texts in Chinese and English. The language follows the browser until the user chooses one. */
import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import { setRequestLanguage } from "../../api/client";
import type { en } from "./en";

export type Language = "zh-CN" | "en";
export type Texts = typeof en;

declare module "i18next" {
  interface CustomTypeOptions {
    defaultNS: "app";
    resources: { app: Texts };
    returnNull: false;
  }
}

const SAVED = "twin.language";

export function preferredLanguage(saved: string | null, browser: readonly string[]): Language {
  if (saved === "zh-CN" || saved === "en") return saved;
  for (const language of browser) {
    if (language.toLowerCase().startsWith("zh")) return "zh-CN";
    if (language.toLowerCase().startsWith("en")) return "en";
  }
  return "en";
}

/** As the server keeps an account's language. */
export const accountLanguage = (language: string): "zh" | "en" => (language.startsWith("zh") ? "zh" : "en");

/** The account's language, unless this device has one of its own. */
export async function followAccount(language: string | null): Promise<void> {
  if (language === null || readSaved() !== null || accountLanguage(i18next.language) === language) return;
  await show(language === "en" ? "en" : "zh-CN");
}

/** Only the language in use is downloaded. */
async function texts(language: Language): Promise<object> {
  return language === "en" ? (await import("./en")).en : (await import("./zh")).zh;
}

function apply(language: Language): void {
  document.documentElement.lang = language;
  setRequestLanguage(language);
}

export async function startI18n(): Promise<Language> {
  const language = preferredLanguage(readSaved(), navigator.languages);
  await i18next.use(initReactI18next).init({
    lng: language,
    ns: ["app"],
    defaultNS: "app",
    resources: { [language]: { app: await texts(language) } },
    interpolation: { escapeValue: false },
    returnNull: false,
  });
  apply(language);
  return language;
}

export async function changeLanguage(language: Language): Promise<void> {
  localStorage.setItem(SAVED, language);
  await show(language);
}

async function show(language: Language): Promise<void> {
  if (!i18next.hasResourceBundle(language, "app")) i18next.addResourceBundle(language, "app", await texts(language));
  apply(language);
  await i18next.changeLanguage(language);
}

function readSaved(): string | null {
  try {
    return localStorage.getItem(SAVED);
  } catch {
    return null;
  }
}
