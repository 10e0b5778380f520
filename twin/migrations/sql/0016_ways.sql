-- Plans and ways: what is worked out from tiles once and kept, in the blob store: sections of storeys, walking lines of
-- stairs. `key` says of what and how it was made; what has another key was made of other tiles or by an older server.
CREATE TABLE derived_shape (
    kind        text NOT NULL CHECK (kind IN ('section', 'climbs')),
    building_id uuid NOT NULL REFERENCES building ON DELETE CASCADE,
    key         bytea NOT NULL,
    hash        text NOT NULL REFERENCES blob,
    made_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (kind, building_id, key)
);
CREATE INDEX derived_shape_hash ON derived_shape (hash);

-- Only the server itself reads it, with a connection that sees everything; what comes of it is filtered by elements.
SELECT limit_rows('derived_shape', in_scope('model', 'building_id'));

-- Who was where, last: orders by whoever worked on them (spatial/crews.py).
CREATE INDEX work_order_event_actor ON work_order_event (actor, at DESC);
