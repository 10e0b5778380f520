-- All that a point says of itself, the devices that spoke for it, suggestions that were turned down.

ALTER TABLE point
    ADD COLUMN reading_unit text,                        -- QUDT code in which its readings come; null: in its unit
    ADD COLUMN stale_after  interval CHECK (stale_after > '0'), -- silent for so long: stale; null: three expected intervals
    ADD COLUMN deadband     float8 CHECK (deadband >= 0), -- smaller changes are kept and not told to live viewers
    ADD COLUMN time_zone    text,                        -- IANA; null: the site's
    ADD COLUMN tags         text[] NOT NULL DEFAULT '{}';
CREATE INDEX point_tags ON point USING gin (tags);

-- How long a point may be silent before it counts as stale.
ALTER TABLE point
    ADD COLUMN patience interval NOT NULL GENERATED ALWAYS AS (coalesce(stale_after, 3 * expected_interval)) STORED;

-- Whether a point has a reading: asked before its unit changes, also by those who may not see values.
CREATE FUNCTION point_has_history(handle int) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
    SELECT EXISTS (SELECT FROM latest l WHERE l.point_id = handle)
$$;

-- The device that measures for a point, for a time range: the role keeps its history when the device is replaced.
CREATE TABLE point_hardware (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    point_id   int NOT NULL REFERENCES point ON DELETE CASCADE,
    device     text NOT NULL CHECK (device <> ''),       -- what it is called: serial number, EUI, name
    address    text,                                     -- the key under which its readings come, if it is another
    source_id  int REFERENCES source ON DELETE SET NULL,
    note       text,
    during     tstzrange NOT NULL CHECK (NOT isempty(during)),
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    EXCLUDE USING gist (point_id WITH =, during WITH &&)
);
CREATE INDEX point_hardware_address ON point_hardware (address) WHERE upper_inf(during) AND address IS NOT NULL;
SELECT limit_rows('point_hardware', 'EXISTS (SELECT FROM point p WHERE p.handle = point_id)');

-- A suggested element that somebody turned down: it is not suggested again.
CREATE TABLE binding_dismissed (
    point_id     int NOT NULL REFERENCES point ON DELETE CASCADE,
    element_id   uuid NOT NULL REFERENCES element ON DELETE CASCADE,
    dismissed_by text NOT NULL,
    dismissed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (point_id, element_id)
);
CREATE INDEX binding_dismissed_element ON binding_dismissed (element_id);
SELECT limit_rows('binding_dismissed',
    'EXISTS (SELECT FROM point p WHERE p.handle = point_id) AND EXISTS (SELECT FROM element e WHERE e.id = element_id)');
