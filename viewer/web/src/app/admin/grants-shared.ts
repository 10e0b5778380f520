/** The permission that changes grants, and what a change makes stale. */
export const GRANT_WRITE = "grant.write";
export const GRANTS_TOUCH = ["grants", "accounts", "roles", "keys", "session"] as const;
