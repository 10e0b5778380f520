-- Accounts, how they sign in, and their sessions (6.5.2).
-- Times of sessions, tickets and attempts are those of the steady clock (identity/clock.py), not of the wall.

CREATE TABLE steady_clock (
    boot   text PRIMARY KEY,                             -- one boot of one host
    origin timestamptz NOT NULL                          -- steady time at which that boot's clock stood at zero
);

ALTER TABLE account
    ALTER password_hash DROP NOT NULL,                   -- null: signs in through a provider only
    ADD skeleton              text UNIQUE,               -- the same for names that look the same
    ADD password_changed_at   timestamptz NOT NULL DEFAULT now(),
    ADD must_change_password  boolean NOT NULL DEFAULT false,
    ADD valid_until           timestamptz,               -- wall time; null: for ever
    ADD login_hours           jsonb,                     -- {time_zone, windows: [{days, start, end}]}; null: at any time
    ADD login_networks        cidr[],                    -- null: from anywhere
    ADD require_second_factor boolean NOT NULL DEFAULT false,
    ADD last_login_at         timestamptz;               -- wall time

CREATE TABLE password_history (
    account_id    uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    password_hash text NOT NULL,                         -- one that is used no more
    at            timestamptz NOT NULL,
    PRIMARY KEY (account_id, at)
);

-- A session that ended stays for a while, so that its owner is told why.
DELETE FROM session;
ALTER TABLE session
    ADD id         uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    ADD method     text NOT NULL DEFAULT 'password',     -- password | second_factor | oidc:PROVIDER
    ADD ended_at   timestamptz,
    ADD end_reason text,                                 -- logout | replaced | limit | revoked | administrator | password | second_factor
    ADD CHECK ((ended_at IS NULL) = (end_reason IS NULL)),
    ALTER created_at DROP DEFAULT,
    ALTER seen_at DROP DEFAULT;

-- The password was right, the second factor is awaited.
CREATE TABLE login_ticket (
    token_hash bytea PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    method     text NOT NULL,                            -- as in session
    address    text,                                     -- the code has to come from where the password came from
    attempts   int NOT NULL DEFAULT 0,
    ends_at    timestamptz NOT NULL
);
CREATE INDEX login_ticket_account ON login_ticket (account_id);

-- Wrong passwords and codes; a row that is full locks until `last_at` is long enough ago.
DROP TABLE login_attempt;
CREATE TABLE login_throttle (
    subject  text NOT NULL,                              -- account:ID | name:KEYED HASH | factor:ID | address
    address  text NOT NULL,                              -- an IPv4 address, an IPv6 /64; '' for factors, '*': strange places
    attempts float8 NOT NULL,                            -- a fraction where attempts drain away
    last_at  timestamptz NOT NULL,
    PRIMARY KEY (subject, address)
);
-- Where an account signed in: whoever guesses its password from everywhere else does not lock it there.
CREATE TABLE login_place (
    account_id uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    address    text NOT NULL,                            -- as in login_throttle
    seen_at    timestamptz NOT NULL,
    PRIMARY KEY (account_id, address)
);

CREATE TABLE second_factor (
    account_id   uuid PRIMARY KEY REFERENCES account ON DELETE CASCADE,
    secret       bytea NOT NULL,                         -- TOTP's, sealed with the installation's key
    last_step    bigint NOT NULL DEFAULT 0,              -- the newest 30 s step whose code was used
    confirmed_at timestamptz                             -- null: enrolment has begun
);

CREATE TABLE recovery_code (
    account_id uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    code_hash  bytea NOT NULL,                           -- keyed with the installation's key
    used_at    timestamptz,
    PRIMARY KEY (account_id, code_hash)
);

-- Who an account is at an OpenID provider.
CREATE TABLE external_identity (
    issuer     text NOT NULL,
    subject    text NOT NULL,
    account_id uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    made_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX external_identity_account ON external_identity (account_id);

-- A sign-in that went to a provider and has not come back yet.
CREATE TABLE oidc_login (
    state_hash    bytea PRIMARY KEY,
    browser_hash  bytea NOT NULL,                        -- of the cookie of the browser that set out
    provider      text NOT NULL,
    nonce         text NOT NULL,
    code_verifier text NOT NULL,                         -- PKCE
    redirect_uri  text NOT NULL,
    ends_at       timestamptz NOT NULL
);
