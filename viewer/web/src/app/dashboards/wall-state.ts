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

/** The link that makes a browser a screen. The key stands behind the #: it is in no request, so in no log on the way. */
export function displayLink(origin: string, building: string, view: WallView, key: string): string {
  const params = new URLSearchParams({ building, show: view.ids.join(","), every: String(view.every) });
  return `${origin}/display?${params.toString()}#${encodeURIComponent(key)}`;
}

/** Where such a link leads; null where it does not say so. */
export function wallOf(params: URLSearchParams): string | null {
  const building = params.get("building") ?? "";
  const { ids, every } = parseWall(params);
  if (!/^[0-9a-f-]{36}$/.test(building) || ids.length === 0) return null;
  return `/b/${building}/dashboards/wall?${new URLSearchParams({ show: ids.join(","), every: String(every) }).toString()}`;
}
