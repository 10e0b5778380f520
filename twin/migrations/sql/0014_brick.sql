-- Where ducts, pipes and cables end, and what Brick graphs say that IFC does not.

-- An opening of an element, from its mesh (spatial/ends.py). Rewritten with each version of the model.
CREATE TABLE element_end (
    element_id uuid NOT NULL REFERENCES element ON DELETE CASCADE,
    n          int NOT NULL,
    position   float8[3] NOT NULL,                       -- m, building frame
    direction  float8[3] NOT NULL,                       -- unit vector out of the element
    size       float8 NOT NULL,                          -- m, the opening's largest width
    PRIMARY KEY (element_id, n)
);
SELECT limit_rows('element_end', 'EXISTS (SELECT FROM element e WHERE e.id = element_id)');

-- A Brick graph that somebody handed in (POST /buildings/{id}/graph): what it said, kept apart from what IFC says.
CREATE TABLE brick_import (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    building_id uuid NOT NULL REFERENCES building ON DELETE CASCADE,
    name        text NOT NULL,                           -- of the file
    hash        text NOT NULL,                           -- SHA-256 of its bytes: the same again replaces it
    triples     int NOT NULL,
    report      jsonb NOT NULL,                          -- what was taken, known already, not understood
    created_by  text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    UNIQUE (building_id, hash)
);
SELECT limit_rows('brick_import', in_scope('model', 'building_id'));

-- Something that the graph speaks of. At most one of the three ids: what it is here; none: only the graph knows it.
CREATE TABLE brick_entity (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    import_id   uuid NOT NULL REFERENCES brick_import ON DELETE CASCADE,
    uri         text NOT NULL,
    label       text,
    brick_class text,                                    -- local name, e.g. Air_Handling_Unit
    matched_by  text CHECK (matched_by IN ('uri', 'global_id', 'name', 'timeseries')),
    element_id  uuid REFERENCES element ON DELETE SET NULL,
    group_id    uuid REFERENCES element_group ON DELETE SET NULL,
    point_id    int REFERENCES point ON DELETE SET NULL,
    CHECK (num_nonnulls(element_id, group_id, point_id) <= 1),
    UNIQUE (import_id, uri)
);
CREATE INDEX brick_entity_element ON brick_entity (element_id);
SELECT limit_rows('brick_entity', 'EXISTS (SELECT FROM brick_import i WHERE i.id = import_id)');

CREATE TABLE brick_statement (
    import_id uuid NOT NULL REFERENCES brick_import ON DELETE CASCADE,
    subject   uuid NOT NULL REFERENCES brick_entity ON DELETE CASCADE,
    predicate text NOT NULL CHECK (predicate IN ('feeds', 'isPartOf', 'hasLocation', 'isPointOf')),
    object    uuid NOT NULL REFERENCES brick_entity ON DELETE CASCADE,
    PRIMARY KEY (subject, predicate, object)
);
CREATE INDEX brick_statement_import ON brick_statement (import_id, predicate);
SELECT limit_rows('brick_statement', 'EXISTS (SELECT FROM brick_import i WHERE i.id = import_id)');
