-- Dashboards of a building: widgets on a grid, one's own or shared with all who see the building (docs/dashboards.md).

CREATE TABLE dashboard (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    building_id uuid NOT NULL REFERENCES building ON DELETE CASCADE,
    name        text NOT NULL CHECK (name <> ''),
    owner       text NOT NULL,                           -- actor: account:NAME or key:NAME
    shared      boolean NOT NULL DEFAULT false,
    layout      jsonb NOT NULL,                          -- api/dashboards.py says what it has
    revision    integer NOT NULL DEFAULT 1,              -- who saves says which one was changed
    created_at  timestamptz NOT NULL DEFAULT now(),
    changed_at  timestamptz NOT NULL DEFAULT now(),
    UNIQUE (building_id, owner, name)
);
SELECT limit_rows('dashboard', in_scope('building', 'building_id'));
