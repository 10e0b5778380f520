-- Derived points (telemetry/derived*.py): points whose readings are worked out from those of other points.

CREATE TABLE derived (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    point_id    int NOT NULL UNIQUE REFERENCES point ON DELETE CASCADE,  -- whose readings it makes
    building_id uuid NOT NULL REFERENCES building ON DELETE CASCADE,     -- that of the point: whose days are meant
    kind        text NOT NULL CHECK (kind IN ('expression', 'sum', 'degree_hours', 'energy', 'run_hours', 'starts')),
    every       text NOT NULL,                           -- width of a bucket: 5m, 1h, 1d; each has one reading, at its start
    settings    jsonb NOT NULL,                          -- what the kind needs: expression, over, base, mode, above, states
    state       text NOT NULL DEFAULT 'filling' CHECK (state IN ('filling', 'live', 'failed')),
    error       jsonb,                                   -- {code, params}: why it failed
    fill_from   timestamptz,                             -- first bucket that its inputs reach; null: not looked yet, or none
    done        timestamptz,                             -- buckets from there up to here stand
    revision    int NOT NULL DEFAULT 1,                  -- counts changes of what it is worked out from
    created_by  text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX derived_building ON derived (building_id);
SELECT limit_rows('derived', 'EXISTS (SELECT FROM point p WHERE p.handle = point_id)');

-- What it is worked out from. Members of a sum are found anew when bindings change; their name is empty.
CREATE TABLE derived_input (
    derived_id uuid NOT NULL REFERENCES derived ON DELETE CASCADE,
    point_id   int NOT NULL REFERENCES point ON DELETE CASCADE,
    name       text NOT NULL,
    PRIMARY KEY (derived_id, name, point_id)
);
CREATE INDEX derived_input_point ON derived_input (point_id);
SELECT limit_rows('derived_input',
    'EXISTS (SELECT FROM derived d WHERE d.id = derived_id) AND EXISTS (SELECT FROM point p WHERE p.handle = point_id)');

-- Hours of inputs in which readings came late or were corrected. No key and no reference: ingest must not wait.
CREATE TABLE derived_dirty (
    derived_id uuid NOT NULL,
    point_id   int NOT NULL,
    hour       timestamptz NOT NULL
);
CREATE INDEX derived_dirty_derived ON derived_dirty (derived_id, hour);
SELECT limit_rows('derived_dirty', 'EXISTS (SELECT FROM derived d WHERE d.id = derived_id)');

-- Whoever marks an hour for the rollups marks it for what is derived from the point, in the same transaction.
CREATE FUNCTION derived_mark() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO derived_dirty (derived_id, point_id, hour)
        SELECT DISTINCT i.derived_id, m.point_id, m.hour FROM marked m JOIN derived_input i ON i.point_id = m.point_id;
    RETURN NULL;
END $$;
CREATE TRIGGER derived_mark AFTER INSERT ON rollup_dirty REFERENCING NEW TABLE AS marked
    FOR EACH STATEMENT EXECUTE FUNCTION derived_mark();
