-- What people keep of their work in the 3D view (docs/workspace.md): searches, colouring rules, viewpoints; and how
-- each of them has arranged the panels.

CREATE TABLE saved (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    building_id uuid NOT NULL REFERENCES building ON DELETE CASCADE,
    kind        text NOT NULL CHECK (kind IN ('search', 'rules', 'viewpoint')),
    name        text NOT NULL CHECK (name <> ''),
    owner       text NOT NULL,                           -- actor: account:NAME or key:NAME
    shared      boolean NOT NULL DEFAULT false,          -- seen by all who see the building's models
    content     jsonb NOT NULL,                          -- api/saved.py says what each kind has
    picture     bytea,                                   -- viewpoints: PNG or JPEG, small
    picture_type text,
    created_at  timestamptz NOT NULL DEFAULT now(),
    changed_at  timestamptz NOT NULL DEFAULT now(),
    UNIQUE (building_id, kind, owner, name)
);
-- Of a building that is granted in part a viewpoint's picture would show the rest.
SELECT limit_rows('saved', in_scope('model', 'building_id')
    || $$ OR (kind <> 'viewpoint' AND building_id = ANY ((SELECT scope_ids('model', 'seen'))::uuid[])) $$);

CREATE TABLE workspace (
    owner      text PRIMARY KEY,                         -- actor
    layout     jsonb NOT NULL,                           -- what the web client wrote
    changed_at timestamptz NOT NULL DEFAULT now()
);
