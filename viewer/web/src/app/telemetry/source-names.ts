/** Sources as people call them: the server names those that it makes itself by what they are and an id. */
import type { components } from "../../api/schema.gen";

export type Source = components["schemas"]["Source"];

const ID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";
const FILE = new RegExp(`^file:(?:${ID}|[0-9a-f]{8})/(.+)$`);
const OWN = new RegExp(`^(?:simulator|account|key):(?!${ID}$)(.+)$`);
const NUMBERED = new RegExp(`^(.+):${ID}$`);

/** "year.csv" of `file:1a2b3c4d/year.csv`, "demo" of `account:demo`, "simulator" of `simulator:<id>`. */
export function sourceTitle(name: string): string {
  return FILE.exec(name)?.[1] ?? OWN.exec(name)?.[1] ?? NUMBERED.exec(name)?.[1] ?? name;
}
