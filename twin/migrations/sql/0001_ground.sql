-- The ground floor: where things are, what is maintained, what happened, who did it.
-- Every time is timestamptz in UTC; every interval is half-open; lengths are metres.

CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE EXTENSION IF NOT EXISTS pg_trgm;

CREATE TABLE site (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name        text NOT NULL UNIQUE CHECK (name <> ''),
    time_zone   text NOT NULL DEFAULT 'Asia/Shanghai',   -- IANA name; days and months are cut in it
    latitude    float8 CHECK (latitude BETWEEN -90 AND 90),
    longitude   float8 CHECK (longitude BETWEEN -180 AND 180),
    created_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE building (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    site_id     uuid NOT NULL REFERENCES site,
    name        text NOT NULL UNIQUE CHECK (name <> ''),
    properties  jsonb NOT NULL DEFAULT '{}',             -- the users' own, free form
    created_at  timestamptz NOT NULL DEFAULT now()
);

-- A storey of the building, shared by all its models: an architect's "Level 2" and the
-- mechanical engineer's "Level 2" at the same elevation are one row here.
CREATE TABLE storey (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    building_id uuid NOT NULL REFERENCES building ON DELETE CASCADE,
    name        text NOT NULL,
    elevation   float8,                                  -- m in the building frame; null: the file does not say
    UNIQUE NULLS NOT DISTINCT (building_id, name, elevation)
);

-- A blob's bytes live in the blob store under this hash; the row says that they are complete.
CREATE TABLE blob (
    hash         text PRIMARY KEY,                       -- SHA-256, hex
    bytes        bigint NOT NULL,
    content_type text NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now()
);

-- Outbox: written in the transaction of the change, numbered by the sealer after the commit.
CREATE TABLE event (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    seq         bigint UNIQUE,                           -- null until sealed; rises in commit order
    building_id uuid REFERENCES building ON DELETE CASCADE,  -- null: concerns the whole server
    storey_id   uuid REFERENCES storey ON DELETE SET NULL,
    topic       text NOT NULL,                           -- alarm | work_order | model | point | command | notification
    data        jsonb NOT NULL,
    at          timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX event_unsealed ON event (id) WHERE seq IS NULL;
CREATE INDEX event_building_seq ON event (building_id, seq);
CREATE SEQUENCE event_seq;

CREATE FUNCTION event_written() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('twin_event', '');
    RETURN NULL;
END $$;
CREATE TRIGGER event_written AFTER INSERT ON event FOR EACH STATEMENT EXECUTE FUNCTION event_written();

-- What a user asked for and waits on; the queue itself is procrastinate's.
CREATE TABLE job (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    kind         text NOT NULL,                          -- import | …
    building_id  uuid REFERENCES building ON DELETE CASCADE,
    args         jsonb NOT NULL,
    state        text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    stage        text,
    progress     float8 NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 1),
    result       jsonb,
    error        jsonb,                                  -- {code, message, where}
    cancel_asked boolean NOT NULL DEFAULT false,
    attempts     int NOT NULL DEFAULT 0,
    queue_id     bigint,                                 -- procrastinate_jobs.id that delivers it
    worker       bigint,                                 -- advisory lock held by the worker that runs it
    created_by   text,
    created_at   timestamptz NOT NULL DEFAULT now(),
    started_at   timestamptz,
    finished_at  timestamptz
);
CREATE INDEX job_created ON job (created_at);
CREATE INDEX job_open ON job (id) WHERE state IN ('queued', 'running');
CREATE SEQUENCE job_worker AS int CYCLE;

-- One write per Idempotency-Key and caller; a second one waits for the first and gets its answer.
CREATE TABLE idempotency (
    key          text NOT NULL,
    actor        text NOT NULL,
    request_hash bytea NOT NULL,                         -- of method, path and body
    status       int,
    body         bytea,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (actor, key)
);

-- Small facts about this installation: secret keys, the chosen history engine.
CREATE TABLE installation (
    key   text PRIMARY KEY,
    value jsonb NOT NULL
);
