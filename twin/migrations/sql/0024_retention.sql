-- How long readings and rollups are kept and when they are compressed, per class of point, and what was done about it
-- (telemetry/policies.py, telemetry/retention.py; clause 6.1.3f). Without a policy everything is kept as it came.

CREATE TABLE history_policy (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name           text NOT NULL UNIQUE,
    building_id    uuid REFERENCES building ON DELETE CASCADE,   -- which points: null matches all
    brick_class    text,                                 -- the class or one whose name ends with it
    quantity       text,
    raw_for        interval,                             -- null: for ever
    rollup_for     interval,                             -- null: for ever; never less than raw_for
    compress_after interval,                             -- null: not for this class's sake
    created_at     timestamptz NOT NULL DEFAULT now(),
    CHECK (raw_for > '0' AND rollup_for > '0' AND compress_after > '0'),
    CHECK (rollup_for IS NULL OR (raw_for IS NOT NULL AND rollup_for >= raw_for))
);
SELECT limit_rows('history_policy', 'building_id IS NULL OR ' || in_scope('point', 'building_id'));

ALTER TABLE point ADD COLUMN policy_id uuid REFERENCES history_policy ON DELETE SET NULL; -- null: by class
CREATE INDEX point_policy ON point (policy_id) WHERE policy_id IS NOT NULL;

-- The policy of each point: its own, else the one that says most of it (and of two that say as much, the older).
CREATE VIEW point_policy_of WITH (security_invoker = true) AS
SELECT p.handle, coalesce(p.policy_id, (
    SELECT c.id FROM history_policy c
    WHERE (c.building_id IS NULL OR c.building_id = p.building_id)
      AND (c.quantity IS NULL OR c.quantity = p.quantity)
      AND (c.brick_class IS NULL OR c.brick_class = p.brick_class
           OR right(p.brick_class, length(c.brick_class) + 1) = '_' || c.brick_class)
    ORDER BY num_nonnulls(c.building_id, c.brick_class, c.quantity) DESC, c.created_at, c.id LIMIT 1)) AS policy_id
FROM point p;

-- Of a point whose history was cut: from when on it is whole. Both on the full hour. Reached through point only.
CREATE TABLE history_cut (
    point_id    int PRIMARY KEY,                         -- point.handle; like reading, without a foreign key
    raw_from    timestamptz NOT NULL,
    rollup_from timestamptz
);

-- What retention and compression did, one row per policy or part and run.
CREATE TABLE history_run (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind         text NOT NULL CHECK (kind IN ('retention', 'compression', 'quarantine')),
    policy_id    uuid REFERENCES history_policy ON DELETE SET NULL,
    policy       text,                                   -- its name then
    part         text,                                   -- partition or chunk that was dropped or compressed
    started_at   timestamptz NOT NULL,
    finished_at  timestamptz NOT NULL,
    points       int NOT NULL DEFAULT 0,
    readings     bigint NOT NULL DEFAULT 0,              -- removed, or compressed
    rollups      bigint NOT NULL DEFAULT 0,              -- removed
    held_back    bigint NOT NULL DEFAULT 0,              -- readings due that are not rolled up yet
    oldest       timestamptz,                            -- of the readings removed
    newest       timestamptz,
    bytes_before bigint,
    bytes_after  bigint,
    error        text
);
CREATE INDEX history_run_policy ON history_run (policy_id);

-- A partition or chunk as it was last counted or compressed.
CREATE TABLE history_part (
    name          text PRIMARY KEY,
    readings      bigint NOT NULL,
    bytes         bigint NOT NULL,                       -- when it was counted; another size or other changes:
    changes       bigint NOT NULL,                       -- count again
    counted_at    timestamptz NOT NULL,
    bytes_before  bigint,                                -- before it was compressed
    compressed_at timestamptz
);

CREATE TABLE history_count (
    part     text NOT NULL REFERENCES history_part ON DELETE CASCADE,
    point_id int NOT NULL,                               -- point.handle
    readings bigint NOT NULL,
    first_ts timestamptz NOT NULL,
    last_ts  timestamptz NOT NULL,
    PRIMARY KEY (point_id, part)
);
CREATE INDEX history_count_part ON history_count (part);

-- One row: when the next run is due.
CREATE TABLE history_schedule (
    one     boolean PRIMARY KEY DEFAULT true CHECK (one),
    next_at timestamptz NOT NULL
);
INSERT INTO history_schedule (next_at) VALUES (now());
