import { expect, test } from "vitest";
import { bytesFromGlobalId, globalIdFromBytes } from "./guid";

test("the GlobalId of a known UUID is what buildingSMART's algorithm gives", () => {
  // As ifcopenshell.guid.compress writes it.
  const uuid = "4cd9a1f8-a8cd-4f8d-9a5f-0d7fcd9e8b1a".replaceAll("-", "");
  const bytes = Uint8Array.from(uuid.match(/../g) ?? [], (pair) => parseInt(pair, 16));
  expect(globalIdFromBytes(bytes)).toBe("1CsQ7ugCrFZPfV3N$DdeiQ");
});

test("every GlobalId survives the way to bytes and back", () => {
  let seed = 7;
  for (let round = 0; round < 200; round++) {
    const bytes = Uint8Array.from({ length: 16 }, () => (seed = (seed * 16807) % 2147483647) & 255);
    const text = globalIdFromBytes(bytes);
    expect(text).toHaveLength(22);
    expect(bytesFromGlobalId(text)).toEqual(bytes);
  }
});

test("what is no GlobalId is refused", () => {
  for (const text of ["", "1CsQ7ufCrFZPfV3NvDdeb", "4CsQ7ufCrFZPfV3NvDdebQ", "1CsQ7ufCrFZPfV3NvDde Q"])
    expect(() => bytesFromGlobalId(text)).toThrow(RangeError);
});
