-- Ingest beyond the one door: what became of refused readings, corrections, files, the state of sources.

-- Refused readings wait for a person: they are put in again, perhaps under another point or at another time, or dismissed.
ALTER TABLE quarantine
    ADD COLUMN state      text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'replayed', 'dismissed')),
    ADD COLUMN settled_at timestamptz,
    ADD COLUMN settled_by text,                          -- actor
    ADD COLUMN became     jsonb,                         -- replayed: {"point", "ts", "outcome": accepted | duplicate}
    ADD CHECK ((state = 'open') = (settled_at IS NULL));
-- Newest first, of all or of what is asked for: a page costs what stands on it, however many there are.
DROP INDEX quarantine_received;
CREATE INDEX quarantine_newest ON quarantine (received_at, id);
CREATE INDEX quarantine_state ON quarantine (state, received_at, id);
CREATE INDEX quarantine_point ON quarantine (point_key, received_at, id);
CREATE INDEX quarantine_source ON quarantine (source_id, received_at, id);
CREATE INDEX quarantine_code ON quarantine (code, received_at, id);

-- How many wait of each reason, source and point, kept by the triggers below: half a million rows are not counted to
-- show ten lines.
CREATE TABLE quarantine_count (
    source_id int REFERENCES source,
    point_key text NOT NULL,
    code      text NOT NULL,
    n         bigint NOT NULL,
    oldest    timestamptz NOT NULL,
    newest    timestamptz NOT NULL,
    UNIQUE NULLS NOT DISTINCT (point_key, code, source_id)
);
CREATE INDEX quarantine_count_source ON quarantine_count (source_id);
SELECT limit_rows('quarantine_count',
    $$ (SELECT scope_all('reading'))
       OR EXISTS (SELECT FROM source s WHERE s.id = source_id AND s.name = (SELECT current_setting('twin.actor', true)))
       OR EXISTS (SELECT FROM point p WHERE p.key = point_key AND ($$
    || in_scope('reading', 'p.building_id', NULL, 'p.element_id') || '))');
-- Rows are locked in the order of their key, so that two servers do not wait for each other in a circle.
CREATE FUNCTION quarantine_came() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO quarantine_count AS c (source_id, point_key, code, n, oldest, newest)
    SELECT source_id, point_key, code, count(*), min(received_at), max(received_at) FROM came WHERE state = 'open'
    GROUP BY point_key, code, source_id ORDER BY point_key, code, source_id
    ON CONFLICT (point_key, code, source_id) DO UPDATE
        SET n = c.n + excluded.n, oldest = least(c.oldest, excluded.oldest), newest = greatest(c.newest, excluded.newest);
    RETURN NULL;
END $$;
CREATE TRIGGER quarantine_came AFTER INSERT ON quarantine REFERENCING NEW TABLE AS came
    FOR EACH STATEMENT EXECUTE FUNCTION quarantine_came();
CREATE FUNCTION quarantine_less(source int, point text, reason text, less bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    first timestamptz;
    last timestamptz;
BEGIN
    UPDATE quarantine_count c SET n = c.n - less
    WHERE c.point_key = point AND c.code = reason AND c.source_id IS NOT DISTINCT FROM source;
    SELECT min(q.received_at), max(q.received_at) INTO first, last FROM quarantine q
    WHERE q.point_key = point AND q.code = reason AND q.source_id IS NOT DISTINCT FROM source AND q.state = 'open';
    UPDATE quarantine_count c SET oldest = first, newest = last
    WHERE c.point_key = point AND c.code = reason AND c.source_id IS NOT DISTINCT FROM source AND first IS NOT NULL;
    DELETE FROM quarantine_count c
    WHERE c.point_key = point AND c.code = reason AND c.source_id IS NOT DISTINCT FROM source AND c.n <= 0;
END $$;
CREATE FUNCTION quarantine_settled() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM quarantine_less(source_id, point_key, code, n) FROM (
        SELECT o.source_id, o.point_key, o.code, count(*) AS n FROM before o JOIN after a ON a.id = o.id
        WHERE o.state = 'open' AND a.state <> 'open'
        GROUP BY o.point_key, o.code, o.source_id ORDER BY o.point_key, o.code, o.source_id) AS each;
    RETURN NULL;
END $$;
CREATE TRIGGER quarantine_settled AFTER UPDATE ON quarantine REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION quarantine_settled();
CREATE FUNCTION quarantine_gone() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM quarantine_less(source_id, point_key, code, n) FROM (
        SELECT o.source_id, o.point_key, o.code, count(*) AS n FROM before o WHERE o.state = 'open'
        GROUP BY o.point_key, o.code, o.source_id ORDER BY o.point_key, o.code, o.source_id) AS each;
    RETURN NULL;
END $$;
CREATE TRIGGER quarantine_gone AFTER DELETE ON quarantine REFERENCING OLD TABLE AS before
    FOR EACH STATEMENT EXECUTE FUNCTION quarantine_gone();

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
