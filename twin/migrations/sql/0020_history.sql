-- Rollups: what a bucket of readings comes to, in a form that two neighbours can be joined from.
-- Kept by telemetry/rollups.py on every engine: a continuous aggregate cannot hold a time-weighted sum (decision 20).

ALTER TABLE point ADD COLUMN sampling text NOT NULL DEFAULT 'hold' CHECK (sampling IN ('hold', 'interpolate'));

-- Usable numeric readings (good and uncertain) of five minutes: of a bucket without any there is no row.
CREATE TABLE rollup_5m (
    point_id int NOT NULL,                               -- point.handle; like reading, without a foreign key
    ts       timestamptz NOT NULL,                       -- start of the bucket, UTC
    n        int NOT NULL,
    good     int NOT NULL,
    sum      float8 NOT NULL,
    min      float8 NOT NULL,
    max      float8 NOT NULL,
    first    float8 NOT NULL,
    last     float8 NOT NULL,
    first_ts timestamptz NOT NULL,
    last_ts  timestamptz NOT NULL,
    held     float8 NOT NULL,                            -- value × s from first_ts to last_ts, each value held
    slanted  float8 NOT NULL,                            -- the same with straight lines between values
    PRIMARY KEY (point_id, ts)
);

-- The same of an hour. Every hour adds a row of each point, so a point's year lies on thousands of pages; its index
-- carries all columns and has them side by side.
CREATE TABLE rollup_1h (
    LIKE rollup_5m,
    PRIMARY KEY (point_id, ts) INCLUDE (n, good, sum, min, max, first, last, first_ts, last_ts, held, slanted)
);

-- Hours whose readings changed after they had been rolled up. No key: ingest must not wait for whoever works them off.
CREATE TABLE rollup_dirty (
    point_id int NOT NULL,
    hour     timestamptz NOT NULL
);
CREATE INDEX rollup_dirty_point ON rollup_dirty (point_id, hour);

-- One row. Readings before `settled` that come from now on are marked dirty; those before `rolled` stand in the rollups.
CREATE TABLE rollup_state (
    one     boolean PRIMARY KEY DEFAULT true CHECK (one),
    settled timestamptz NOT NULL,
    rolled  timestamptz NOT NULL,
    CHECK (rolled <= settled)
);

-- Ingest asks this in the transaction that stores readings. The lock lets nobody move `settled` before that transaction
-- ends; a function, because each of its statements sees what was committed before it, the lock's wait included.
CREATE FUNCTION rollup_settled() RETURNS timestamptz LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(1953983090);
    RETURN (SELECT settled FROM rollup_state);
END $$;
