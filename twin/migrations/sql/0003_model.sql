-- IFC models, their elements and the graph between them.

CREATE TABLE model (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    building_id     uuid NOT NULL REFERENCES building ON DELETE CASCADE,
    name            text NOT NULL CHECK (name <> ''),
    discipline      text NOT NULL DEFAULT 'arc',         -- arc | str | mep | …
    current_version int,                                 -- the version that is shown; null before the first
    created_at      timestamptz NOT NULL DEFAULT now(),
    UNIQUE (building_id, name)
);

CREATE TABLE model_version (
    model_id    uuid NOT NULL REFERENCES model ON DELETE CASCADE,
    n           int NOT NULL,
    file_hash   text NOT NULL REFERENCES blob,
    file_name   text NOT NULL,
    bytes       bigint NOT NULL,
    schema      text NOT NULL,                           -- IFC2X3 | IFC4 | IFC4X3_ADD2, as read
    application text,
    report      jsonb NOT NULL,                          -- the import report of the contract
    origin      float8[3] NOT NULL DEFAULT '{0,0,0}',    -- m; model coordinates = building frame + origin
    georeference jsonb,                                  -- IfcMapConversion, true north, site coordinates
    created_by  text,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (model_id, n)
);

-- Superclasses of every IFC class seen, itself included: "ifc_class includes subclasses" is a join.
CREATE TABLE ifc_class (
    name     text NOT NULL,
    ancestor text NOT NULL,
    PRIMARY KEY (name, ancestor)
);
CREATE INDEX ifc_class_ancestor ON ifc_class (ancestor);

CREATE TABLE element_type (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    model_id    uuid NOT NULL REFERENCES model ON DELETE CASCADE,
    global_id   text NOT NULL,
    ifc_class   text NOT NULL,
    name        text,
    description text,
    attributes  jsonb NOT NULL DEFAULT '{}',
    psets       jsonb NOT NULL DEFAULT '{}',
    quantities  jsonb NOT NULL DEFAULT '{}',
    materials   jsonb NOT NULL DEFAULT '[]',
    classifications jsonb NOT NULL DEFAULT '[]',
    documents   jsonb NOT NULL DEFAULT '[]',
    occurrence  int NOT NULL DEFAULT 0,
    UNIQUE (model_id, global_id, occurrence)
);

-- Every IfcProduct. Known by (model, GlobalId) for ever: rows are never deleted by a new version,
-- only marked as absent from it, so that what points here stays.
CREATE TABLE element (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    model_id        uuid NOT NULL REFERENCES model ON DELETE CASCADE,
    building_id     uuid NOT NULL REFERENCES building ON DELETE CASCADE,
    global_id       text NOT NULL,
    occurrence      int NOT NULL DEFAULT 0,              -- > 0: a file repeats this GlobalId; counted in file order
    ifc_class       text NOT NULL,
    predefined_type text,
    name            text,
    long_name       text,
    description     text,
    object_type     text,
    tag             text,
    attributes      jsonb NOT NULL DEFAULT '{}',         -- the class's other direct attributes
    psets           jsonb NOT NULL DEFAULT '{}',         -- {pset: {property: {value, unit?, type}}}, file's units
    quantities      jsonb NOT NULL DEFAULT '{}',         -- {qset: {quantity: {value, unit?, type}}}
    materials       jsonb NOT NULL DEFAULT '[]',
    classifications jsonb NOT NULL DEFAULT '[]',
    documents       jsonb NOT NULL DEFAULT '[]',
    own_properties  jsonb NOT NULL DEFAULT '{}',         -- the users' own, kept through versions (6.4.2a-2)
    type_id         uuid REFERENCES element_type ON DELETE SET NULL,
    parent_id       uuid REFERENCES element ON DELETE SET NULL,  -- aggregation, nesting or port's owner, by containment
    storey_id       uuid REFERENCES storey ON DELETE SET NULL,
    space_id        uuid REFERENCES element ON DELETE SET NULL,  -- the IfcSpace it is in
    storey_derived  boolean NOT NULL DEFAULT false,      -- placed by geometry, not by the file
    space_derived   boolean NOT NULL DEFAULT false,
    elevation       float8,                              -- m, storeys only
    placement       float8[16],                          -- row-major 4x4, m, building frame; null: none
    bbox            float8[6],                           -- min x y z, max x y z; m, building frame
    geometry        text NOT NULL DEFAULT 'none',        -- rung: ifclite | occ | cgal | box | none (no body) | lost
    geometry_note   text,
    shape_hash      bytea,                               -- of the mesh in its own frame; equal shapes are equal
    content_hash    bytea NOT NULL,                      -- of everything above that comes from the file
    first_version   int NOT NULL,
    last_version    int NOT NULL,                        -- < model.current_version: the file no longer has it
    UNIQUE (model_id, global_id, occurrence)
) WITH (fillfactor = 50);                                -- a new version touches every row: room for it on the page (HOT)
CREATE INDEX element_global_id ON element (global_id);
CREATE INDEX element_class ON element (building_id, ifc_class);
CREATE INDEX element_storey ON element (storey_id);
CREATE INDEX element_space ON element (space_id);
CREATE INDEX element_parent ON element (parent_id);
CREATE INDEX element_type_of ON element (type_id);
CREATE INDEX element_psets ON element USING gin (psets jsonb_path_ops);
CREATE INDEX element_type_psets ON element_type USING gin (psets jsonb_path_ops);
CREATE INDEX element_search ON element USING gin
    ((coalesce(name, '') || ' ' || coalesce(long_name, '') || ' ' || coalesce(tag, '') || ' ' || global_id) gin_trgm_ops);

CREATE TABLE space (
    element_id uuid PRIMARY KEY REFERENCES element ON DELETE CASCADE,
    footprint  jsonb,                                    -- GeoJSON Polygon or MultiPolygon, m, building frame
    area       float8,                                   -- m2, of the footprint
    height     float8                                    -- m
);

-- Systems, zones and other groups (IfcGroup and its subtypes): no products, but people think in them.
CREATE TABLE element_group (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    model_id    uuid NOT NULL REFERENCES model ON DELETE CASCADE,
    building_id uuid NOT NULL REFERENCES building ON DELETE CASCADE,
    global_id   text NOT NULL,
    occurrence  int NOT NULL DEFAULT 0,
    ifc_class   text NOT NULL,                           -- IfcSystem, IfcDistributionSystem, IfcZone, IfcGroup, …
    predefined_type text,
    name        text,
    long_name   text,
    description text,
    psets       jsonb NOT NULL DEFAULT '{}',
    serves      uuid[] NOT NULL DEFAULT '{}',            -- elements (storeys, spaces, buildings) it is for
    last_version int NOT NULL,
    UNIQUE (model_id, global_id, occurrence)
);
CREATE TABLE element_group_member (
    group_id   uuid NOT NULL REFERENCES element_group ON DELETE CASCADE,
    element_id uuid NOT NULL REFERENCES element ON DELETE CASCADE,
    PRIMARY KEY (group_id, element_id)
);
CREATE INDEX element_group_member_element ON element_group_member (element_id);
CREATE TABLE element_group_child (                       -- groups within groups
    group_id uuid NOT NULL REFERENCES element_group ON DELETE CASCADE,
    child_id uuid NOT NULL REFERENCES element_group ON DELETE CASCADE,
    PRIMARY KEY (group_id, child_id)
);

CREATE TABLE element_group_serves (                      -- IfcRelServicesBuildings: system → building, storey, space
    group_id   uuid NOT NULL REFERENCES element_group ON DELETE CASCADE,
    element_id uuid NOT NULL REFERENCES element ON DELETE CASCADE,
    PRIMARY KEY (group_id, element_id)
);

-- Edges of the graph between elements. Rewritten with each version of the model.
CREATE TABLE element_relation (
    model_id uuid NOT NULL REFERENCES model ON DELETE CASCADE,
    kind     text NOT NULL,  -- what each kind means: ifc_models/relations.py
    from_id  uuid NOT NULL REFERENCES element ON DELETE CASCADE,
    to_id    uuid NOT NULL REFERENCES element ON DELETE CASCADE,
    derived  boolean NOT NULL DEFAULT false,
    PRIMARY KEY (model_id, kind, from_id, to_id)
);
CREATE INDEX element_relation_from ON element_relation (from_id, kind);
CREATE INDEX element_relation_to ON element_relation (to_id, kind);

CREATE TABLE tile (
    model_id   uuid NOT NULL,
    version    int NOT NULL,
    storey_id  uuid REFERENCES storey ON DELETE SET NULL,
    layer      text NOT NULL CHECK (layer IN ('shell', 'spaces', 'services', 'furniture')),
    part       int NOT NULL,
    hash       text NOT NULL REFERENCES blob,
    bytes      bigint NOT NULL,                          -- as transferred
    elements   int NOT NULL,
    triangles  bigint NOT NULL,
    bbox       float8[6] NOT NULL,                       -- m, building frame, z up
    PRIMARY KEY (model_id, version, layer, part, hash),
    FOREIGN KEY (model_id, version) REFERENCES model_version ON DELETE CASCADE
);
CREATE INDEX tile_hash ON tile (hash);

-- What is maintained. Bound to an element for a time range: a replaced pump keeps its own life,
-- the place keeps its history.
CREATE TABLE asset (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    building_id  uuid NOT NULL REFERENCES building ON DELETE CASCADE,
    code         text NOT NULL,                          -- on the label
    name         text NOT NULL,
    manufacturer text,
    product      text,
    serial       text,
    installed_on date,
    properties   jsonb NOT NULL DEFAULT '{}',
    created_at   timestamptz NOT NULL DEFAULT now(),
    retired_at   timestamptz,
    UNIQUE (building_id, code)
);
CREATE TABLE asset_binding (
    asset_id   uuid NOT NULL REFERENCES asset ON DELETE CASCADE,
    element_id uuid NOT NULL REFERENCES element,
    during     tstzrange NOT NULL CHECK (NOT isempty(during)),
    EXCLUDE USING gist (asset_id WITH =, during WITH &&),
    EXCLUDE USING gist (element_id WITH =, during WITH &&)
);
CREATE INDEX asset_binding_element ON asset_binding (element_id);
