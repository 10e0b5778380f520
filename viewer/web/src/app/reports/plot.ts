/** Lines and bars of a printed report as SVG paths. Pure. */

export interface Scale {
  low: number;
  high: number;
  ticks: number[];
}

/** A scale with round ticks that holds all values; a flat line gets room on both sides. */
export function scaleOf(values: readonly (number | null)[], fromZero = false): Scale {
  const known = values.filter((value): value is number => value !== null && Number.isFinite(value));
  let low = known.reduce((a, b) => Math.min(a, b), fromZero ? 0 : Number.POSITIVE_INFINITY);
  let high = known.reduce((a, b) => Math.max(a, b), fromZero ? 0 : Number.NEGATIVE_INFINITY);
  if (!Number.isFinite(low)) [low, high] = [0, 1];
  if (low === high) [low, high] = fromZero ? [Math.min(low, 0), high === 0 ? 1 : Math.max(high, 0)] : [low - 1, high + 1];
  const step = niceStep((high - low) / 4);
  const first = Math.floor(low / step + 1e-9);
  const last = Math.ceil(high / step - 1e-9);
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
  return { low: ticks[0] ?? low, high: ticks.at(-1) ?? high, ticks };
}

function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const part = rough / power;
  return (part <= 1 ? 1 : part <= 2 ? 2 : part <= 5 ? 5 : 10) * power;
}

/** A line through the known values, broken where there are none; a value alone is a dot. */
export function linePath(xs: readonly number[], ys: readonly (number | null)[]): string {
  let path = "";
  let open = false;
  ys.forEach((y, i) => {
    const x = xs[i];
    if (y === null || x === undefined) {
      open = false;
      return;
    }
    const alone = !open && (ys[i + 1] ?? null) === null;
    path += `${open ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}${alone ? "h0.1" : ""}`;
    open = true;
  });
  return path;
}

/** The area between the least and the most, a polygon for each unbroken stretch. */
export function bandPath(xs: readonly number[], lows: readonly (number | null)[], highs: readonly (number | null)[]): string {
  let path = "";
  let stretch: number[] = [];
  const close = (): void => {
    if (stretch.length > 1) {
      const there = stretch.map((i) => `${(xs[i] ?? 0).toFixed(1)} ${(highs[i] ?? 0).toFixed(1)}`);
      const back = stretch.toReversed().map((i) => `${(xs[i] ?? 0).toFixed(1)} ${(lows[i] ?? 0).toFixed(1)}`);
      path += `M${[...there, ...back].join("L")}Z`;
    }
    stretch = [];
  };
  xs.forEach((_, i) => {
    if ((lows[i] ?? null) === null || (highs[i] ?? null) === null) close();
    else stretch.push(i);
  });
  close();
  return path;
}
