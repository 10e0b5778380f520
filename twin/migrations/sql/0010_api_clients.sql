-- API clients (6.1.5a, 6.1.5b, 6.2.1e): what a key is capped to, its secrets, how much it calls.

ALTER TABLE api_key
    ADD COLUMN scopes      text[],                       -- permissions at most; null: whatever its grants give
    ADD COLUMN networks    text[] NOT NULL DEFAULT '{}', -- CIDR; empty: from anywhere
    ADD COLUMN rate        int CHECK (rate > 0),         -- calls a minute; null: the setting
    ADD COLUMN concurrency int CHECK (concurrency > 0),  -- calls at once; null: the setting
    ADD COLUMN used_from   text;                         -- address of the last use

-- Two while a rotation lasts: the new one and, until it expires, the old one.
CREATE TABLE api_key_secret (
    hash       bytea PRIMARY KEY,                        -- SHA-256; secrets have 256 random bits
    key_id     uuid NOT NULL REFERENCES api_key ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz                               -- null: the current one
);
CREATE UNIQUE INDEX api_key_secret_current ON api_key_secret (key_id) WHERE expires_at IS NULL;
CREATE INDEX api_key_secret_key ON api_key_secret (key_id);
INSERT INTO api_key_secret (hash, key_id, created_at) SELECT secret_hash, id, created_at FROM api_key;
ALTER TABLE api_key DROP COLUMN secret_hash;
CREATE TRIGGER access_changed AFTER UPDATE OR DELETE ON api_key_secret
    FOR EACH STATEMENT EXECUTE FUNCTION access_changed();

-- Calls of a key, by route and hour. Added to in batches (identity/usage.py), dropped after TWIN_USAGE_KEEP.
CREATE TABLE api_key_usage (
    key_id    uuid NOT NULL REFERENCES api_key ON DELETE CASCADE,
    hour      timestamptz NOT NULL,                      -- start; hours in UTC
    route     text NOT NULL,                             -- e.g. GET /buildings/{building}
    calls     bigint NOT NULL,
    errors    bigint NOT NULL,                           -- answered 4xx or 5xx
    failures  bigint NOT NULL,                           -- of these 5xx
    refused   bigint NOT NULL,                           -- of the errors 429
    seconds   float8 NOT NULL,                           -- sum over all calls
    histogram bigint[] NOT NULL,                         -- calls by latency; limits: identity/usage.py BOUNDS
    PRIMARY KEY (key_id, hour, route)
);
CREATE INDEX api_key_usage_hour ON api_key_usage (hour);

-- What the rate limits have counted (identity/rate.py). Unlogged: after a crash everyone starts afresh, which harms
-- nobody, and no write waits for the disk.
CREATE UNLOGGED TABLE rate_window (
    name       text NOT NULL,                            -- which limit, whose
    number     bigint NOT NULL,                          -- of the window: Unix time / its length
    n          bigint NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (name, number)
);
CREATE INDEX rate_window_expires ON rate_window (expires_at);
