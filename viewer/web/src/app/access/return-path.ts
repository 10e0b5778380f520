/** Where one was before a sign-in that leaves the page (OIDC): kept for this tab, used once, only ever a path of ours. */
const KEY = "twin.return";

export const isOwnPath = (path: string): boolean => /^\/(?![/\\])/.test(path) && !path.startsWith("/sign-in");

export const returnPath = {
  keep: (): void => {
    const from = (window.history.state as { usr?: { from?: string } } | null)?.usr?.from ?? window.location.pathname + window.location.search;
    if (isOwnPath(from)) sessionStorage.setItem(KEY, from);
  },
  take: (): string | null => {
    const path = sessionStorage.getItem(KEY);
    sessionStorage.removeItem(KEY);
    return path !== null && isOwnPath(path) ? path : null;
  },
};
