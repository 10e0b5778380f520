/** Numbers, units and times as people read them. Pure. */

const formats = new Map<string, Intl.DateTimeFormat>();

function dateFormat(language: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = language + JSON.stringify(options);
  let format = formats.get(key);
  if (!format) formats.set(key, (format = new Intl.DateTimeFormat(language, options)));
  return format;
}

export function formatTime(at: string | number, language: string): string {
  return dateFormat(language, { dateStyle: "medium", timeStyle: "short", hourCycle: "h23" }).format(new Date(at));
}

/** Without the year when it is this one. */
export function shortTime(at: string | number, language: string, now = Date.now()): string {
  const date = new Date(at);
  const year = date.getFullYear() === new Date(now).getFullYear() ? {} : ({ year: "numeric" } as const);
  return dateFormat(language, { ...year, month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(date);
}

export function formatDay(at: string | number | Date, language: string): string {
  return dateFormat(language, { year: "numeric", month: "short", day: "numeric", weekday: "short" }).format(new Date(at));
}

export function clock(at: string | number, language: string): string {
  return dateFormat(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(new Date(at));
}

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [["day", 86_400_000], ["hour", 3_600_000], ["minute", 60_000]];

export function relativeTime(at: number, now: number, language: string): string {
  const format = new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "short" });
  const delta = at - now;
  for (const [unit, size] of STEPS) if (Math.abs(delta) >= size) return format.format(Math.trunc(delta / size), unit);
  return format.format(0, "second");
}

/** The two largest parts: "2 d 3 h", "2 天 3 小时". */
export function formatDuration(ms: number, language: string): string {
  const zh = language.startsWith("zh");
  const parts: [number, string, string][] = [[86_400_000, "d", "天"], [3_600_000, "h", "小时"], [60_000, "min", "分钟"]];
  let rest = Math.max(0, ms);
  const out: string[] = [];
  for (const [size, en, cn] of parts) {
    const n = Math.floor(rest / size);
    if (n > 0) out.push(`${n} ${zh ? cn : en}`);
    rest -= n * size;
    if (out.length === 2 || (out.length === 1 && n === 0)) break;
  }
  return out.join(" ") || (zh ? "不到 1 分钟" : "under 1 min");
}

/** QUDT unit codes as they are written on instruments. */
const UNITS: Record<string, string> = {
  DEG_C: "°C", DEG_F: "°F", K: "K", PERCENT: "%", PERCENT_RH: "%RH", PPM: "ppm", KiloW: "kW", W: "W", MegaW: "MW", "KiloW-HR": "kWh",
  "KiloW_HR": "kWh", "W-HR": "Wh", PA: "Pa", KiloPA: "kPa", MegaPA: "MPa", BAR: "bar", V: "V", A: "A", HZ: "Hz", M: "m", MilliM: "mm",
  CentiM: "cm", M3: "m³", "M3-PER-HR": "m³/h", "M3-PER-SEC": "m³/s", "L-PER-SEC": "L/s", L: "L", LUX: "lx", "M-PER-SEC": "m/s",
  "REV-PER-MIN": "rpm", SEC: "s", MIN: "min", HR: "h", UNITLESS: "", NUM: "", "MicroGM-PER-M3": "µg/m³", "MilliGM-PER-M3": "mg/m³",
  DEG: "°", "MilliM-PER-SEC": "mm/s", M2: "m²", KiloGM: "kg", DECIB: "dB", KiloV: "kV", "KiloV-A": "kVA", J: "J", KiloJ: "kJ",
};

export function unitText(unit: string | null | undefined): string {
  return unit ? (UNITS[unit] ?? unit) : "";
}

/** Up to four significant digits, no exponent for everyday sizes. */
export function formatNumber(value: number, language: string): string {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  const digits = size >= 1000 || Number.isInteger(value) ? 0 : size >= 100 ? 1 : size >= 1 ? 2 : 3;
  return numberFormat(language, digits).format(value);
}

const numbers = new Map<string, Intl.NumberFormat>();

/** Kept: to make one takes as long as to write a hundred numbers. */
function numberFormat(language: string, digits: number): Intl.NumberFormat {
  const key = language + String(digits);
  let format = numbers.get(key);
  if (!format) numbers.set(key, (format = new Intl.NumberFormat(language, { maximumFractionDigits: digits })));
  return format;
}

export function formatBytes(bytes: number, language: string): string {
  const units = ["B", "KB", "MB", "GB"];
  let i = 0;
  let n = bytes;
  while (n >= 1000 && i < units.length - 1) {
    n /= 1000;
    i++;
  }
  return `${new Intl.NumberFormat(language, { maximumFractionDigits: n < 10 && i > 0 ? 1 : 0 }).format(n)} ${units[i] ?? ""}`;
}

/** "IfcFlowTerminal" → "Flow terminal"; Chinese names of the classes people meet are in the texts. */
export function plainClass(ifcClass: string): string {
  const words = ifcClass.replace(/^Ifc/, "").replace(/([a-z])([A-Z])/g, "$1 $2");
  return words.charAt(0) + words.slice(1).toLowerCase();
}
