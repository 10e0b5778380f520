-- Versions: what every element said in every version, GlobalIds it once had, what a new file's elements were matched with.

-- Which version made an element's row say what it says. It holds for the versions [since, last_version].
ALTER TABLE element
    ADD COLUMN since         int NOT NULL DEFAULT 1,
    ADD COLUMN type_hash     bytea,                      -- of what its type says: its properties are the element's too
    ADD COLUMN shape_measure float8[];                   -- ifc_models/measures.py: area, volume, extents, middle
UPDATE element SET since = first_version;

-- What an element said before: one row per element and content, only for what a later version changed. It held for the
-- versions [since, until). Types, parents and spaces are named by id and may be gone.
CREATE TABLE element_past (LIKE element);
ALTER TABLE element_past
    DROP COLUMN own_properties, DROP COLUMN first_version, DROP COLUMN last_version,
    ADD COLUMN until int NOT NULL,
    ADD CHECK (since < until);
ALTER TABLE element_past RENAME COLUMN id TO element_id;
ALTER TABLE element_past
    ADD PRIMARY KEY (element_id, since),
    ADD FOREIGN KEY (element_id) REFERENCES element ON DELETE CASCADE,
    ADD FOREIGN KEY (storey_id) REFERENCES storey ON DELETE SET NULL;
CREATE INDEX element_past_model ON element_past (model_id, until);
CREATE INDEX element_model_since ON element (model_id, since);

-- Every content of every element with the versions [since, until) that had it.
CREATE VIEW element_state WITH (security_invoker = true) AS
    SELECT id AS element_id, model_id, building_id, global_id, occurrence, ifc_class, predefined_type, name, long_name,
           description, object_type, tag, attributes, psets, quantities, materials, classifications, documents,
           type_id, type_hash, parent_id, storey_id, space_id, elevation, placement, bbox, geometry, geometry_note,
           shape_hash, shape_measure, since, last_version + 1 AS until
    FROM element
    UNION ALL
    SELECT element_id, model_id, building_id, global_id, occurrence, ifc_class, predefined_type, name, long_name,
           description, object_type, tag, attributes, psets, quantities, materials, classifications, documents,
           type_id, type_hash, parent_id, storey_id, space_id, elevation, placement, bbox, geometry, geometry_note,
           shape_hash, shape_measure, since, until
    FROM element_past;

-- Do two arrays of numbers differ by more than a tolerance somewhere?
CREATE FUNCTION arrays_differ(a float8[], b float8[], tolerance float8) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT a IS DISTINCT FROM b AND (a IS NULL OR b IS NULL OR EXISTS (
        SELECT FROM unnest(a, b) AS pair(x, y) WHERE x IS NULL OR y IS NULL OR abs(x - y) > tolerance))
$$;

-- Would a person see a difference between two shapes? Another hash alone may be the last digit of a coordinate.
CREATE FUNCTION shapes_differ(a_hash bytea, b_hash bytea, a float8[], b float8[]) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT a_hash IS DISTINCT FROM b_hash AND (a IS NULL OR b IS NULL OR EXISTS (
        SELECT FROM unnest(a, b) AS pair(x, y)
        WHERE x IS NULL OR y IS NULL OR abs(x - y) > 1e-4 + 1e-5 * greatest(abs(x), abs(y))))
$$;

-- A GlobalId that an element had before it was matched with another one: old links and old files still find it.
CREATE TABLE element_alias (
    model_id   uuid NOT NULL REFERENCES model ON DELETE CASCADE,
    global_id  text NOT NULL,
    occurrence int NOT NULL DEFAULT 0,
    element_id uuid NOT NULL REFERENCES element ON DELETE CASCADE,
    until      int NOT NULL,                             -- the version that gave the element another GlobalId
    PRIMARY KEY (model_id, global_id, occurrence)
);
CREATE INDEX element_alias_global_id ON element_alias (global_id);
CREATE INDEX element_alias_element ON element_alias (element_id);

-- Elements whose GlobalId a version no longer has, and the new elements that they may be.
CREATE TABLE element_match (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    model_id      uuid NOT NULL REFERENCES model ON DELETE CASCADE,
    version       int NOT NULL,
    kind          text NOT NULL CHECK (kind IN ('certain', 'likely', 'lost')),
    state         text NOT NULL CHECK (state IN ('applied', 'waiting', 'lost', 'confirmed', 'rejected', 'corrected')),
    old_id        uuid NOT NULL REFERENCES element ON DELETE CASCADE,
    new_id        uuid REFERENCES element ON DELETE CASCADE,  -- the same where the match is in force; null: lost
    old_global_id text NOT NULL,
    new_global_id text,
    score         float8 NOT NULL DEFAULT 0 CHECK (score BETWEEN 0 AND 1),
    distance      float8,                                -- m between the two
    reasons       text[] NOT NULL DEFAULT '{}',          -- what agrees: shape | position | name | tag | type | place
    decided_by    text,
    decided_at    timestamptz,
    UNIQUE (model_id, version, old_id),
    FOREIGN KEY (model_id, version) REFERENCES model_version ON DELETE CASCADE
);
CREATE INDEX element_match_old ON element_match (old_id);
CREATE INDEX element_match_new ON element_match (new_id);

ALTER TABLE model_version
    ADD COLUMN kind      text NOT NULL DEFAULT 'upload' CHECK (kind IN ('upload', 'rollback')),
    ADD COLUMN restored  int,                            -- rollback: the version that is shown again
    ADD COLUMN converter text,                           -- what made it of the file; equal: the result would be the same
    ADD COLUMN package   text REFERENCES blob,           -- everything that was read and placed: brings the version back
    ADD COLUMN meshes    text REFERENCES blob;           -- meshed shapes by content: the next version meshes only others
ALTER TABLE tile ADD COLUMN key bytea;                   -- of all that the tile was made of; equal: so is the tile

-- Row filters (0007): what elements said is seen where they are; who decides about matches needs the whole building.
SELECT limit_rows('element_past', in_scope('model', 'building_id', 'storey_id', 'element_id'),
    in_scope('model', 'building_id'));
SELECT limit_rows('element_alias', 'EXISTS (SELECT FROM element e WHERE e.id = element_id)');
SELECT limit_rows('element_match', 'EXISTS (SELECT FROM element e WHERE e.id = old_id)',
    'EXISTS (SELECT FROM model m WHERE m.id = model_id AND (' || in_scope('model', 'm.building_id') || '))');
GRANT SELECT ON element_state TO twin_limited;
