/** The permission that makes and changes roles. */
export const ROLE_WRITE = "role.write";
