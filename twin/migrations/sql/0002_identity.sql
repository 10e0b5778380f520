CREATE TABLE account (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name          text NOT NULL UNIQUE CHECK (name <> ''),
    display_name  text,
    password_hash text NOT NULL,                         -- argon2id, pwdlib
    roles         text[] NOT NULL DEFAULT '{}',
    disabled      boolean NOT NULL DEFAULT false,
    language      text,
    created_at    timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE session (
    token_hash  bytea PRIMARY KEY,                       -- SHA-256 of the cookie's value
    account_id  uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    csrf_token  text NOT NULL,
    address     text,
    user_agent  text,
    created_at  timestamptz NOT NULL DEFAULT now(),
    seen_at     timestamptz NOT NULL DEFAULT now(),
    idle_limit  interval NOT NULL,                       -- ends when not seen for so long
    expires_at  timestamptz NOT NULL                     -- ends in any case
);
CREATE INDEX session_account ON session (account_id);

CREATE TABLE api_key (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name        text NOT NULL,
    secret_hash bytea NOT NULL UNIQUE,                   -- SHA-256 of the key; keys have 256 random bits
    role        text NOT NULL,
    created_by  text,
    created_at  timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz,
    used_at     timestamptz,
    revoked_at  timestamptz
);

CREATE TABLE login_attempt (
    account_name text NOT NULL,
    address      text NOT NULL,
    at           timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX login_attempt_recent ON login_attempt (account_name, address, at);

-- Append-only; written in the transaction of the change it tells of.
CREATE TABLE audit (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at        timestamptz NOT NULL DEFAULT now(),
    actor     text NOT NULL,                             -- account:NAME, key:NAME, cli, system
    address   text,
    action    text NOT NULL,                             -- the permission or command, e.g. alarm.acknowledge
    object    text,                                      -- kind:id
    result    text NOT NULL DEFAULT 'done',
    before    jsonb,
    after     jsonb
);
CREATE INDEX audit_object ON audit (object, at);
CREATE INDEX audit_actor ON audit (actor, id);
