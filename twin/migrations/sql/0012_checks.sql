-- Checks of model versions, issues (BCF topics) of buildings, exported files.

-- One check of one version: by our own rules, or against an IDS document.
CREATE TABLE check_run (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    model_id    uuid NOT NULL,
    version     int NOT NULL,
    building_id uuid NOT NULL REFERENCES building ON DELETE CASCADE,
    kind        text NOT NULL CHECK (kind IN ('model', 'ids')),
    file_name   text,                                    -- of the IDS document
    ids_hash    text REFERENCES blob,
    job_id      uuid REFERENCES job ON DELETE SET NULL,
    title       text,                                    -- as the IDS document calls itself
    status      text CHECK (status IN ('pass', 'fail')), -- null: not done yet, the job says why
    summary     jsonb NOT NULL DEFAULT '{}',             -- counts; of an IDS also its info
    findings    jsonb NOT NULL DEFAULT '[]',             -- kind model: as in the import report
    created_by  text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    FOREIGN KEY (model_id, version) REFERENCES model_version ON DELETE CASCADE
);
CREATE INDEX check_run_model ON check_run (model_id, created_at DESC);
CREATE INDEX check_run_building ON check_run (building_id);

CREATE TABLE check_specification (
    run_id     uuid NOT NULL REFERENCES check_run ON DELETE CASCADE,
    n          int NOT NULL,                             -- place in the document
    name       text NOT NULL,
    status     text NOT NULL CHECK (status IN ('pass', 'fail')),
    applicable int NOT NULL,
    passed     int NOT NULL,
    failed     int NOT NULL,
    body       jsonb NOT NULL,                           -- usage, texts, applicability and requirements as facets
    PRIMARY KEY (run_id, n)
);

-- Every element that a specification is about; without failures it passed.
CREATE TABLE check_element (
    run_id     uuid NOT NULL,
    n          int NOT NULL,
    place      int NOT NULL,                             -- in the order of the file
    element_id uuid REFERENCES element ON DELETE SET NULL,  -- null: no product (a type, a group)
    global_id  text,
    ifc_class  text NOT NULL,
    name       text,
    failures   jsonb NOT NULL DEFAULT '[]',              -- [{requirement, reason, actual}]
    PRIMARY KEY (run_id, n, place),
    FOREIGN KEY (run_id, n) REFERENCES check_specification ON DELETE CASCADE
);
CREATE INDEX check_element_failed ON check_element (run_id, n, place) WHERE failures <> '[]';
CREATE INDEX check_element_element ON check_element (element_id);

-- Files made from a version: enriched IFC, COBie.
CREATE TABLE model_export (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    model_id    uuid NOT NULL,
    version     int NOT NULL,
    building_id uuid NOT NULL REFERENCES building ON DELETE CASCADE,
    kind        text NOT NULL,                           -- ifc | cobie.xlsx | cobie.ods | cobie.csv
    hash        text NOT NULL REFERENCES blob,
    file_name   text NOT NULL,
    summary     jsonb NOT NULL DEFAULT '{}',
    created_by  text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (model_id, version) REFERENCES model_version ON DELETE CASCADE
);
CREATE INDEX model_export_latest ON model_export (model_id, version, kind, created_at DESC);
CREATE INDEX model_export_building ON model_export (building_id);

-- A BCF file that was brought in: what of it belongs to no topic is kept for the way out.
CREATE TABLE bcf_import (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    building_id uuid NOT NULL REFERENCES building ON DELETE CASCADE,
    file_name   text NOT NULL,
    version     text NOT NULL,                           -- 2.0 | 2.1 | 3.0
    created_by  text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX bcf_import_building ON bcf_import (building_id);
CREATE TABLE bcf_import_file (
    import_id uuid NOT NULL REFERENCES bcf_import ON DELETE CASCADE,
    path      text NOT NULL,
    hash      text NOT NULL REFERENCES blob,
    PRIMARY KEY (import_id, path)
);

-- Issues, as BCF has them. Points and cameras are metres in the building frame.
CREATE TABLE topic (
    id                 uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    number             bigint GENERATED ALWAYS AS IDENTITY,
    building_id        uuid NOT NULL REFERENCES building ON DELETE CASCADE,
    storey_id          uuid REFERENCES storey ON DELETE SET NULL,   -- where its first element is
    element_id         uuid REFERENCES element ON DELETE SET NULL,  -- the first one that a viewpoint selects
    guid               uuid NOT NULL,
    title              text NOT NULL CHECK (title <> ''),
    topic_type         text,
    topic_status       text,
    priority           text,
    stage              text,
    index              int,
    labels             text[] NOT NULL DEFAULT '{}',
    reference_links    text[] NOT NULL DEFAULT '{}',
    assigned_to        text,
    description        text,
    due_date           timestamptz,
    creation_author    text NOT NULL,
    creation_date      timestamptz NOT NULL,
    modified_author    text,
    modified_date      timestamptz,
    server_assigned_id text,
    related_topics     text[] NOT NULL DEFAULT '{}',     -- guids
    import_id          uuid REFERENCES bcf_import ON DELETE SET NULL,
    folder             text,                             -- in the archive that it came in
    source             bytea,                            -- its markup as it came
    source_version     text,
    UNIQUE (building_id, guid)
);
CREATE INDEX topic_list ON topic (building_id, creation_date DESC, id);
CREATE INDEX topic_storey ON topic (storey_id);
CREATE INDEX topic_element ON topic (element_id);

CREATE TABLE topic_comment (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    topic_id        uuid NOT NULL REFERENCES topic ON DELETE CASCADE,
    guid            uuid NOT NULL,
    place           bigint GENERATED ALWAYS AS IDENTITY, -- in the order they came
    text            text NOT NULL,
    author          text NOT NULL,
    date            timestamptz NOT NULL,
    viewpoint       uuid,                                -- guid of a viewpoint of the topic
    modified_author text,
    modified_date   timestamptz,
    UNIQUE (topic_id, guid)
);
CREATE TABLE topic_viewpoint (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    topic_id       uuid NOT NULL REFERENCES topic ON DELETE CASCADE,
    guid           uuid NOT NULL,
    place          bigint GENERATED ALWAYS AS IDENTITY,
    index          int,
    view           jsonb NOT NULL,                       -- ifc_models.bcf.View
    view_file      text,                                 -- names of its files beside the markup
    snapshot_file  text,
    snapshot_hash  text REFERENCES blob,
    source         bytea,                                -- the viewpoint file as it came
    source_version text,
    UNIQUE (topic_id, guid)
);
CREATE TABLE topic_file (                                -- other files of the topic's folder
    topic_id uuid NOT NULL REFERENCES topic ON DELETE CASCADE,
    path     text NOT NULL,
    hash     text NOT NULL REFERENCES blob,
    PRIMARY KEY (topic_id, path)
);

SELECT limit_rows('check_run', in_scope('model', 'building_id'));
SELECT limit_rows('check_specification', 'EXISTS (SELECT FROM check_run r WHERE r.id = run_id)');
SELECT limit_rows('check_element', 'EXISTS (SELECT FROM check_run r WHERE r.id = run_id)');
SELECT limit_rows('model_export', in_scope('model', 'building_id'));
SELECT limit_rows('bcf_import', in_scope('topic', 'building_id'));
SELECT limit_rows('bcf_import_file', 'EXISTS (SELECT FROM bcf_import i WHERE i.id = import_id)');
SELECT limit_rows('topic', in_scope('topic', 'building_id', 'storey_id', 'element_id'));
SELECT limit_rows('topic_comment', 'EXISTS (SELECT FROM topic t WHERE t.id = topic_id)');
SELECT limit_rows('topic_viewpoint', 'EXISTS (SELECT FROM topic t WHERE t.id = topic_id)');
SELECT limit_rows('topic_file', 'EXISTS (SELECT FROM topic t WHERE t.id = topic_id)');
