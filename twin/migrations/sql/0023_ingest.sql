-- Ingest beyond the one door: what became of refused readings, corrections, files, the state of sources.

-- Refused readings wait for a person: they are put in again, perhaps under another point or at another time, or dismissed.
ALTER TABLE quarantine
    ADD COLUMN state      text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'replayed', 'dismissed')),
    ADD COLUMN settled_at timestamptz,
    ADD COLUMN settled_by text,                          -- actor
    ADD COLUMN became     jsonb,                         -- replayed: {"point", "ts", "outcome": accepted | duplicate}
    ADD CHECK ((state = 'open') = (settled_at IS NULL));
CREATE INDEX quarantine_open ON quarantine (id) WHERE state = 'open';
CREATE INDEX quarantine_point ON quarantine (point_key);
CREATE INDEX quarantine_source ON quarantine (source_id);

-- A stored reading that somebody put right, with the value it had: the row in reading changes, this one never does.
CREATE TABLE correction (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    point_id      int NOT NULL REFERENCES point ON DELETE CASCADE,
    ts            timestamptz NOT NULL,
    old_num       float8,
    old_txt       text,
    old_q         smallint,
    old_source_id int REFERENCES source,
    old_stored_at timestamptz,
    num           float8,
    txt           text,
    q             smallint NOT NULL,
    reason        text NOT NULL CHECK (reason <> ''),
    corrected_by  text NOT NULL,                         -- actor
    corrected_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX correction_point ON correction (point_id, ts);
SELECT limit_rows('correction', 'EXISTS (SELECT FROM latest l WHERE l.point_id = correction.point_id)');
CREATE FUNCTION correction_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a correction is never changed: make another one';
END $$;
CREATE TRIGGER correction_is_kept BEFORE UPDATE ON correction FOR EACH ROW EXECUTE FUNCTION correction_is_kept();

-- A file of readings on its way in. `cursor`, the counts and the readings are committed together: whoever takes the job
-- up after a crash goes on exactly where it was.
CREATE TABLE reading_import (
    job_id      uuid PRIMARY KEY REFERENCES job ON DELETE CASCADE,
    building_id uuid NOT NULL REFERENCES building ON DELETE CASCADE,
    source_id   int NOT NULL REFERENCES source,
    file_hash   text REFERENCES blob,                    -- null: over, the file is no longer needed
    file_name   text NOT NULL,
    mapping     jsonb NOT NULL,                          -- which column is what (telemetry/file_mapping.py)
    cursor      jsonb,                                   -- where in the file it goes on; null: at its start
    lines       bigint NOT NULL DEFAULT 0,               -- of the file that are done
    accepted    bigint NOT NULL DEFAULT 0,
    duplicate   bigint NOT NULL DEFAULT 0,
    rejected    bigint NOT NULL DEFAULT 0,
    empty       bigint NOT NULL DEFAULT 0,               -- cells without a value
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX reading_import_building ON reading_import (building_id);
SELECT limit_rows('reading_import', in_scope('reading', 'building_id'));

-- How a source is, told when it changes (telemetry/source_watch.py).
ALTER TABLE source
    ADD COLUMN offline_since timestamptz,                -- null: it speaks, or never has
    ADD COLUMN skewed_since  timestamptz,                -- null: its clock is right, as far as is known
    ADD COLUMN watched       boolean NOT NULL DEFAULT true,  -- people are told when it falls silent
    ADD COLUMN told_at       timestamptz;                -- when people were last told that it is silent
