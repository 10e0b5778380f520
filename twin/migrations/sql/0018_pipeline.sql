-- Tiles of a model's first version while it is still being imported (docs/decisions/0016): they live as long as the job
-- runs, and no longer, whoever or whatever ends it.
CREATE TABLE tile_preview (
    job_id        uuid NOT NULL REFERENCES job ON DELETE CASCADE,
    model_id      uuid NOT NULL REFERENCES model ON DELETE CASCADE,
    building_id   uuid NOT NULL REFERENCES building ON DELETE CASCADE,
    storey_index  int NOT NULL,                          -- of the storey among the file's elements; -1: on no storey
    storey_name   text,                                  -- it has no row yet
    elevation     float8,                                -- m
    layer         text NOT NULL,
    part          int NOT NULL,
    hash          text NOT NULL REFERENCES blob,
    bytes         bigint NOT NULL,
    elements      int NOT NULL,
    triangles     bigint NOT NULL,
    bbox          float8[] NOT NULL,
    key           bytea,
    PRIMARY KEY (job_id, storey_index, layer, part)
);
CREATE INDEX tile_preview_hash ON tile_preview (hash);
CREATE INDEX tile_preview_building ON tile_preview (building_id);
SELECT limit_rows('tile_preview', in_scope('model', 'building_id'));

-- A job that no longer runs takes its preview back; viewers are told unless the version itself is.
CREATE FUNCTION end_preview() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    shown record;
BEGIN
    WITH gone AS (DELETE FROM tile_preview WHERE job_id = NEW.id RETURNING model_id, building_id)
    SELECT * INTO shown FROM gone LIMIT 1;
    IF FOUND AND NEW.state <> 'done' THEN
        INSERT INTO event (building_id, topic, data)
        VALUES (shown.building_id, 'model_preview', jsonb_build_object('job', NEW.id, 'model', shown.model_id, 'tiles', 0));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER end_preview AFTER UPDATE OF state ON job
    FOR EACH ROW WHEN (OLD.state = 'running' AND NEW.state <> 'running') EXECUTE FUNCTION end_preview();
