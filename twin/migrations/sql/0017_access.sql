-- Places among calls at once that a server process holds for a caller (identity/leases.py). Unlogged, as rate_window is:
-- after a crash of the database everyone starts afresh.
CREATE UNLOGGED TABLE rate_lease (
    name       text NOT NULL,                            -- which limit, whose
    holder     uuid NOT NULL,                            -- the process
    n          int NOT NULL CHECK (n > 0),
    expires_at timestamptz NOT NULL,                     -- what a killed process held is free after that
    PRIMARY KEY (name, holder)
);

-- A key that lives is known by its name: the audit trail says `key:NAME`. Those of one name so far get their id behind it.
UPDATE api_key SET name = left(name, 90) || ' ' || left(id::text, 8)
WHERE revoked_at IS NULL AND EXISTS (
    SELECT FROM api_key elder WHERE elder.revoked_at IS NULL AND lower(elder.name) = lower(api_key.name)
      AND (elder.created_at, elder.id) < (api_key.created_at, api_key.id));
CREATE UNIQUE INDEX api_key_living_name ON api_key (lower(name)) WHERE revoked_at IS NULL;
