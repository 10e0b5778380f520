-- Where elements are as the whole building says (spatial/placed.py): derived rooms, how sure that is, what hides them.
-- An element without a row is where its file says, in plain sight. Written anew with every version of any model.
CREATE TABLE element_place (
    element_id        uuid PRIMARY KEY REFERENCES element ON DELETE CASCADE,
    building_id       uuid NOT NULL REFERENCES building ON DELETE CASCADE,
    space_reason      text CHECK (space_reason IN ('inside', 'ceiling', 'floor', 'nearest')),  -- null: the file, or none
    space_confidence  real CHECK (space_confidence BETWEEN 0 AND 1),
    space_share       real,                              -- of its plan that lies in the room's
    space_gap         real,                              -- m from the room
    space_rooms       int,                               -- rooms that overlap there, with this one
    storey_reason     text CHECK (storey_reason IN ('room', 'elevation')),
    storey_confidence real CHECK (storey_confidence BETWEEN 0 AND 1),
    storey_gap        real,                              -- m above the storey's elevation
    filled_space      uuid REFERENCES element ON DELETE SET NULL,  -- element.space_id comes from another model's rooms
    filled_storey     uuid REFERENCES storey ON DELETE SET NULL,
    hidden            text CHECK (hidden IN ('ceiling_void', 'behind_wall', 'under_floor'))
);
CREATE INDEX element_place_building ON element_place (building_id);
CREATE INDEX element_place_filled_space ON element_place (filled_space) WHERE filled_space IS NOT NULL;
CREATE INDEX element_place_filled_storey ON element_place (filled_storey) WHERE filled_storey IS NOT NULL;
SELECT limit_rows('element_place', 'EXISTS (SELECT FROM element e WHERE e.id = element_id)');

-- What the file says of a room, in SI, beside what its mesh has.
ALTER TABLE space
    ADD stated_area          float8,                     -- m2
    ADD stated_area_source   text,                       -- Pset_or_Qto.Name
    ADD stated_height        float8,                     -- m
    ADD stated_height_source text,
    ADD use                  text,                       -- what it is for, in the file's words
    ADD use_source           text;
