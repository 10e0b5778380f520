/** IFC GlobalIds: 128 bits as 22 characters of a base-64 alphabet of IFC's own (ISO 10303-21 has no say in it). */

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_$";

/** Write the 16 bytes at `offset` as an IFC GlobalId: two characters for the first byte, four for each further three. */
export function globalIdFromBytes(bytes: Uint8Array, offset = 0): string {
  const at = (i: number): number => bytes[offset + i] as number;
  let text = ALPHABET.charAt(at(0) >> 6) + ALPHABET.charAt(at(0) & 63);
  for (let i = 1; i < 16; i += 3) {
    const three = (at(i) << 16) | (at(i + 1) << 8) | at(i + 2);
    text +=
      ALPHABET.charAt(three >> 18) +
      ALPHABET.charAt((three >> 12) & 63) +
      ALPHABET.charAt((three >> 6) & 63) +
      ALPHABET.charAt(three & 63);
  }
  return text;
}

/** The 16 bytes of a GlobalId; throws a RangeError for anything that is not one. */
export function bytesFromGlobalId(globalId: string): Uint8Array {
  const digits = Array.from(globalId, (c) => ALPHABET.indexOf(c));
  if (digits.length !== 22 || digits.includes(-1) || (digits[0] as number) > 3)
    throw new RangeError(`${JSON.stringify(globalId)} is no IFC GlobalId: 22 characters of 0-9 A-Z a-z _ $, the first 0-3`);
  const digit = (i: number): number => digits[i] as number;
  const bytes = new Uint8Array(16);
  bytes[0] = (digit(0) << 6) | digit(1);
  for (let group = 0; group < 5; group++) {
    const i = 2 + group * 4;
    const three = (digit(i) << 18) | (digit(i + 1) << 12) | (digit(i + 2) << 6) | digit(i + 3);
    bytes.set([three >> 16, (three >> 8) & 255, three & 255], 1 + group * 3);
  }
  return bytes;
}
