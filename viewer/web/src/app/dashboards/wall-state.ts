/** Which dashboards a screen on the wall shows, as its address says it. Pure. */

export const EVERY = 30;
export const LEAST_S = 5;
export const MOST_S = 3600;

export interface WallView {
  ids: readonly string[];
  /** s that each is shown. */
  every: number;
}

export function parseWall(params: URLSearchParams): WallView {
  const ids = (params.get("show") ?? "").split(",").filter((id) => /^[0-9a-f-]{36}$/.test(id));
  const every = Number(params.get("every") ?? EVERY);
  return { ids: [...new Set(ids)].slice(0, 50), every: Number.isFinite(every) ? Math.min(MOST_S, Math.max(LEAST_S, every)) : EVERY };
}
