/**
 * The mark that the server leaves beside the session, which scripts cannot see: with it, somebody may be signed in and it
 * is worth asking who; without it nobody is. It is no secret and gives nothing.
 */

const MARK = "twin_signed_in";

export const isMarked = (cookies: string): boolean => cookies.split(/;\s*/).includes(`${MARK}=1`);

/** The server said that the session is over: the next page need not ask again. */
export function forgetMark(): void {
  document.cookie = `${MARK}=; path=/; max-age=0; samesite=strict`;
}
