-- Points, sources, readings, commands. The table reading itself is made by telemetry/history.py:
-- a hypertable on TimescaleDB, range partitions elsewhere, with the same columns.

CREATE TABLE source (
    id         int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    uuid       uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    building_id uuid REFERENCES building ON DELETE CASCADE,
    name       text NOT NULL UNIQUE,                     -- key:NAME for HTTP, mqtt:…, simulator
    kind       text NOT NULL CHECK (kind IN ('http', 'mqtt', 'file', 'socket', 'simulator', 'derived')),
    expected_interval interval NOT NULL DEFAULT '5 minutes', -- silent for three of them: offline
    seen_at    timestamptz,
    accepted   bigint NOT NULL DEFAULT 0,
    duplicate  bigint NOT NULL DEFAULT 0,
    rejected   bigint NOT NULL DEFAULT 0,
    clock_skew interval,                                 -- the source's clock minus ours, smoothed
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE point (
    handle      int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,   -- the server-wide number used in frames and readings
    id          uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    building_id uuid NOT NULL REFERENCES building ON DELETE CASCADE,
    key         text NOT NULL UNIQUE CHECK (key <> ''),
    name        text NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('number', 'bool', 'enum', 'text')),
    unit        text,                                    -- QUDT code, e.g. DEG_C
    quantity    text,                                    -- QUDT quantity kind, e.g. Temperature
    brick_class text,
    labels      jsonb,                                   -- enum: {"0": "off", …}
    element_id  uuid REFERENCES element ON DELETE SET NULL,
    writable    boolean NOT NULL DEFAULT false,
    min_value   float8,
    max_value   float8,
    expected_interval interval NOT NULL DEFAULT '5 minutes',
    properties  jsonb NOT NULL DEFAULT '{}',
    retired_at  timestamptz,
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX point_building ON point (building_id);
CREATE INDEX point_element ON point (element_id);

-- Newest reading of each point, kept in the transaction of the reading.
CREATE TABLE latest (
    point_id  int PRIMARY KEY REFERENCES point ON DELETE CASCADE,
    ts        timestamptz NOT NULL,
    num       float8,
    txt       text,
    q         smallint NOT NULL DEFAULT 0,               -- 0 good, 1 uncertain, 2 bad, 3 stale
    source_id int REFERENCES source,
    stored_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 70);

CREATE TABLE quarantine (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source_id   int REFERENCES source,
    point_key   text NOT NULL,
    ts          text,                                    -- as it came
    value       jsonb,
    quality     text,
    code        text NOT NULL,                           -- reading.unknown_point, reading.conflict, …
    message     text NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX quarantine_received ON quarantine (received_at);

CREATE TABLE command (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    point_id     int NOT NULL REFERENCES point ON DELETE CASCADE,
    value        jsonb NOT NULL,
    priority     int NOT NULL CHECK (priority BETWEEN 1 AND 16),   -- 1 is the highest, as in BACnet
    state        text NOT NULL DEFAULT 'requested'
                 CHECK (state IN ('requested', 'sent', 'verified', 'failed', 'expired')),
    message      text,
    requested_by text NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT now(),
    sent_at      timestamptz,
    finished_at  timestamptz,
    expires_at   timestamptz NOT NULL
);
CREATE INDEX command_open ON command (point_id) WHERE state IN ('requested', 'sent');
