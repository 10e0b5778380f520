import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { en } from "../src/app/i18n/en";
import { preferredLanguage } from "../src/app/i18n";
import { zh } from "../src/app/i18n/zh";

type Tree = { [key: string]: string | Tree };

function leaves(tree: Tree, prefix = ""): Map<string, string> {
  return new Map(Object.entries(tree).flatMap(([key, value]) =>
    typeof value === "string" ? [[prefix + key, value] as const] : [...leaves(value, `${prefix}${key}.`)]));
}

/** Chinese has one plural form: only `_other` is ever asked for. */
const isOtherPlural = (key: string): boolean => /_(one|zero)$/.test(key);

test("both languages have the same texts", () => {
  const english = [...leaves(en).keys()].filter((key) => !isOtherPlural(key)).toSorted();
  expect([...leaves(zh as unknown as Tree).keys()].toSorted()).toEqual(english);
});

test("both languages fill in the same values", () => {
  const chinese = leaves(zh);
  const values = (text: string): string[] => [...new Set([...text.matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1] ?? ""))].toSorted();
  for (const [key, text] of leaves(en)) {
    if (!isOtherPlural(key)) expect(values(chinese.get(key) ?? ""), key).toEqual(values(text));
  }
});

test("no text is empty but where there is nothing to say", () => {
  for (const tree of [en, zh as unknown as Tree]) {
    const empty = [...leaves(tree)].filter(([, text]) => text === "").map(([key]) => key);
    expect(empty).toEqual(["order.askHint.assign"]);
  }
});

test("no component writes a text of its own", () => {
  const files = (folder: string): string[] => readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? files(path) : [path];
  });
  for (const path of files("src/app").filter((one) => one.endsWith(".tsx"))) {
    const source = readFileSync(path, "utf8");
    if (!path.includes("choices")) expect(source, path).not.toMatch(/[\u4e00-\u9fff]/);
    expect(source, path).not.toMatch(/>\s*[A-Z][a-z]+ [a-z]+[^<{}=;()]*<\//);
  }
});

test("the language follows the browser until someone chooses", () => {
  expect(preferredLanguage(null, ["zh-TW", "en"])).toBe("zh-CN");
  expect(preferredLanguage(null, ["en-GB", "zh"])).toBe("en");
  expect(preferredLanguage(null, ["de-DE"])).toBe("en");
  expect(preferredLanguage("zh-CN", ["en"])).toBe("zh-CN");
});
