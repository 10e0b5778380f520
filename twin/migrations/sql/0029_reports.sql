-- Reports (docs/reports.md): what people want told again and again, and every time it was told, kept as it was.

CREATE TABLE report (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    building_id uuid NOT NULL REFERENCES building ON DELETE CASCADE,
    name        text NOT NULL CHECK (name <> ''),
    owner       text NOT NULL,                           -- actor: its runs see what this one may see when they are made
    owner_key   uuid,                                    -- which key, where that is one: names of keys may be shared
    shared      boolean NOT NULL DEFAULT false,          -- seen by all who see the whole building
    period      text NOT NULL CHECK (period IN ('day', 'week', 'month', 'quarter', 'year', 'range')),
    first_day   date,                                    -- range: both included, on the site's calendar
    last_day    date,
    sections    jsonb NOT NULL,                          -- api/reports.py says what each kind has
    rrule       text,                                    -- RFC 5545, in the site's time zone; null: once, at starts_at
    starts_at   timestamptz,                             -- null: on demand only
    next_due    timestamptz,                             -- null: on demand only, or the rule has ended
    tell        text,                                    -- role or account told of every run that was due
    created_at  timestamptz NOT NULL DEFAULT now(),
    changed_at  timestamptz NOT NULL DEFAULT now(),
    deleted_at  timestamptz,                             -- its runs stay for as long as runs are kept
    CHECK ((period = 'range') = (first_day IS NOT NULL AND last_day IS NOT NULL AND first_day <= last_day))
);
CREATE UNIQUE INDEX report_name ON report (building_id, owner, name) WHERE deleted_at IS NULL;
CREATE INDEX report_due ON report (next_due) WHERE deleted_at IS NULL;
SELECT limit_rows('report', in_scope('building', 'building_id'));

CREATE TABLE report_run (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    report_id   uuid NOT NULL REFERENCES report ON DELETE CASCADE,
    building_id uuid NOT NULL REFERENCES building ON DELETE CASCADE,
    due_at      timestamptz,                             -- when the schedule asked for it; null: somebody did
    asked_by    text NOT NULL,                           -- actor: it sees what this one may see when it is made
    asked_key   uuid,                                    -- which key, where that is one
    asked_at    timestamptz NOT NULL DEFAULT now(),
    state       text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'failed')),
    definition  jsonb NOT NULL,                          -- of the report when it was asked for
    first_day   date NOT NULL,
    last_day    date NOT NULL,
    start_at    timestamptz NOT NULL,                    -- [start_at, end_at): the days, cut off where it was made
    end_at      timestamptz NOT NULL,
    job_id      uuid REFERENCES job ON DELETE SET NULL,
    made_at     timestamptz,
    snapshot    text,                                    -- JSON, never written again
    digest      text,                                    -- SHA-256 of the snapshot, hex; the audit trail has it too
    error       jsonb,                                   -- {code, params, where}
    UNIQUE (report_id, due_at),
    CHECK ((state = 'done') = (snapshot IS NOT NULL AND digest IS NOT NULL)),
    CHECK ((state = 'failed') = (error IS NOT NULL))
);
CREATE INDEX report_run_building ON report_run (building_id, asked_at DESC, id DESC);
CREATE INDEX report_run_report ON report_run (report_id, asked_at DESC, id DESC);
CREATE INDEX report_run_waiting ON report_run (job_id) WHERE state = 'waiting';
SELECT limit_rows('report_run', in_scope('building', 'building_id'));

CREATE FUNCTION report_run_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'report run % is made and stays as it is', OLD.id;
END $$;
CREATE TRIGGER report_run_stays BEFORE UPDATE ON report_run
    FOR EACH ROW WHEN (OLD.state <> 'waiting' AND to_jsonb(OLD) - 'job_id' IS DISTINCT FROM to_jsonb(NEW) - 'job_id')
    EXECUTE FUNCTION report_run_stays();
