/** Addresses and networks as people type them. Pure. */

/** `192.0.2.7`, `192.0.2.0/24`, `2001:db8::/32`: one that the server will take. */
export function isNetwork(text: string): boolean {
  const [address = "", bits, ...rest] = text.trim().split("/");
  if (rest.length > 0 || (bits !== undefined && !/^\d{1,3}$/.test(bits))) return false;
  const long = Number(bits ?? 0);
  if (address.includes(":")) return isV6(address) && long <= 128;
  const parts = address.split(".");
  return parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255 && String(Number(part)) === part) && long <= 32;
}

function isV6(address: string): boolean {
  const halves = address.split("::");
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === "" ? [] : half.split(":")));
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return false;
  return halves.length === 2 ? groups.length < 8 : groups.length === 8;
}
