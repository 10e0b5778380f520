-- Who may do what where (docs/decisions/0012): roles, grants, and the row filters of callers whose grants are limited.

-- Roles beside the built-in ones, which are data in identity/permissions.py.
CREATE TABLE role (
    name        text PRIMARY KEY CHECK (name ~ '^[a-z][a-z0-9_]{0,39}$'),
    title       text NOT NULL,
    permissions text[] NOT NULL,
    created_by  text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);

-- A role held by an account or a key: at one place, or everywhere when no place is named.
CREATE TABLE role_grant (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    account_id  uuid REFERENCES account ON DELETE CASCADE,
    key_id      uuid REFERENCES api_key ON DELETE CASCADE,
    role        text NOT NULL,                           -- built-in or a row of role
    site_id     uuid REFERENCES site ON DELETE CASCADE,
    building_id uuid REFERENCES building ON DELETE CASCADE,
    storey_id   uuid REFERENCES storey ON DELETE CASCADE,
    system_id   uuid REFERENCES element_group ON DELETE CASCADE,
    granted_by  text NOT NULL,
    granted_at  timestamptz NOT NULL DEFAULT now(),
    CHECK (num_nonnulls(account_id, key_id) = 1),
    CHECK (num_nonnulls(site_id, building_id, storey_id, system_id) <= 1),
    UNIQUE NULLS NOT DISTINCT (account_id, key_id, role, site_id, building_id, storey_id, system_id)
);
CREATE INDEX role_grant_account ON role_grant (account_id) WHERE account_id IS NOT NULL;
CREATE INDEX role_grant_key ON role_grant (key_id) WHERE key_id IS NOT NULL;
CREATE INDEX role_grant_role ON role_grant (role);

INSERT INTO role_grant (account_id, role, granted_by)
    SELECT DISTINCT id, unnest(roles), 'system' FROM account;
INSERT INTO role_grant (key_id, role, granted_by) SELECT id, role, coalesce(created_by, 'system') FROM api_key;
ALTER TABLE account DROP COLUMN roles;
ALTER TABLE api_key DROP COLUMN role;

-- `account.roles`, `api_key.roles`: the roles held anywhere, read as if they were columns.
CREATE FUNCTION roles(account) RETURNS text[] LANGUAGE sql STABLE AS $$
    SELECT ARRAY(SELECT DISTINCT g.role FROM role_grant g WHERE g.account_id = $1.id ORDER BY g.role)
$$;
CREATE FUNCTION roles(api_key) RETURNS text[] LANGUAGE sql STABLE AS $$
    SELECT ARRAY(SELECT DISTINCT g.role FROM role_grant g WHERE g.key_id = $1.id ORDER BY g.role)
$$;

-- Whoever remembers callers or serves their sockets listens (api/callers.py), so that what is taken away is gone at
-- once. It is told which account or key it is about; '' means any.
CREATE FUNCTION access_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed jsonb := to_jsonb(coalesce(NEW, OLD));
BEGIN
    PERFORM pg_notify('twin_access', coalesce(changed->>TG_ARGV[0], changed->>TG_ARGV[1], ''));
    RETURN NULL;
END $$;
CREATE TRIGGER access_changed AFTER INSERT OR UPDATE OR DELETE ON role_grant
    FOR EACH ROW EXECUTE FUNCTION access_changed('account_id', 'key_id');
CREATE TRIGGER access_changed AFTER UPDATE OR DELETE ON role
    FOR EACH ROW EXECUTE FUNCTION access_changed();
CREATE TRIGGER access_changed AFTER INSERT OR DELETE OR UPDATE OF site_id ON building  -- what grants on sites cover
    FOR EACH ROW EXECUTE FUNCTION access_changed();
CREATE TRIGGER access_removed AFTER DELETE ON account
    FOR EACH ROW EXECUTE FUNCTION access_changed('id');
CREATE TRIGGER access_changed AFTER UPDATE ON account
    FOR EACH ROW WHEN (to_jsonb(OLD) - 'last_login_at' IS DISTINCT FROM to_jsonb(NEW) - 'last_login_at')
    EXECUTE FUNCTION access_changed('id');
CREATE TRIGGER access_removed AFTER DELETE ON session
    FOR EACH ROW EXECUTE FUNCTION access_changed('account_id');
CREATE TRIGGER access_changed AFTER UPDATE ON session
    FOR EACH ROW WHEN (to_jsonb(OLD) - 'seen_at' IS DISTINCT FROM to_jsonb(NEW) - 'seen_at')
    EXECUTE FUNCTION access_changed('account_id');
CREATE TRIGGER access_removed AFTER DELETE ON api_key
    FOR EACH ROW EXECUTE FUNCTION access_changed('id');
CREATE TRIGGER access_changed AFTER UPDATE ON api_key
    FOR EACH ROW WHEN (to_jsonb(OLD) - '{used_at,used_from}'::text[]
                       IS DISTINCT FROM to_jsonb(NEW) - '{used_at,used_from}'::text[])
    EXECUTE FUNCTION access_changed('id');

-- Row filters. A transaction of a caller who may not see everything runs as `twin_limited`, to which the policies below
-- apply, and says in settings what it may see (identity/access.py): for each family of rows (`building`, `model`,
-- `point`, `reading`, `alarm`, `work_order`, `job`)
--   twin.FAMILY_all         on: everything
--   twin.FAMILY_buildings   whole buildings
--   twin.FAMILY_storeys     storeys
--   twin.FAMILY_systems     systems and other groups of elements
--   twin.FAMILY_seen        buildings that hold any of these: their names are seen
-- What is not set is not seen. Everyone else is the owner of the tables, whom no policy concerns.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'twin_limited') THEN
        BEGIN
            CREATE ROLE twin_limited NOLOGIN;
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN NULL;  -- another database of this server was faster
            WHEN insufficient_privilege THEN
                RAISE EXCEPTION 'the database user % may not create roles: have an administrator of the database run '
                    'CREATE ROLE twin_limited NOLOGIN; GRANT twin_limited TO % WITH INHERIT FALSE, SET TRUE; '
                    'and start again', current_user, current_user;
        END;
    END IF;
    IF NOT pg_has_role(current_user, 'twin_limited', 'SET') THEN
        BEGIN
            EXECUTE format('GRANT twin_limited TO %I WITH INHERIT FALSE, SET TRUE', current_user);
        EXCEPTION WHEN insufficient_privilege THEN
            RAISE EXCEPTION 'the database user % may not act as twin_limited: have an administrator of the database '
                'run GRANT twin_limited TO % WITH INHERIT FALSE, SET TRUE; and start again', current_user, current_user;
        END;
    END IF;
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO twin_limited', current_schema());
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO twin_limited', current_schema());
    EXECUTE format('GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA %I TO twin_limited', current_schema());
    EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO twin_limited',
                   current_schema());
    EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I GRANT USAGE, SELECT ON SEQUENCES TO twin_limited',
                   current_schema());
END $$;

CREATE FUNCTION scope_all(family text) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce(current_setting('twin.' || family || '_all', true) = 'on', false)
$$;
CREATE FUNCTION scope_ids(family text, part text) RETURNS uuid[] LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT nullif(current_setting('twin.' || family || '_' || part, true), '')::uuid[]
$$;

-- The functions below look past the row filters, or they would ask the tables whose filters ask them. They ask nothing
-- at all for callers to whom no storey or system is granted, who are most of the limited ones.

-- Elements of the granted systems: members, of groups within them too, what is part of these, what stands in their rooms.
CREATE FUNCTION scope_members(family text) RETURNS SETOF uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1000 SET search_path FROM CURRENT AS $$
BEGIN
    IF scope_ids(family, 'systems') IS NULL THEN RETURN; END IF;
    RETURN QUERY WITH RECURSIVE systems (id) AS (
        SELECT unnest(scope_ids(family, 'systems'))
        UNION SELECT c.child_id FROM systems s JOIN element_group_child c ON c.group_id = s.id
    ), parts (id) AS (
        SELECT m.element_id FROM systems s JOIN element_group_member m ON m.group_id = s.id
        UNION SELECT e.id FROM parts p JOIN element e ON e.parent_id = p.id
    )
    SELECT p.id FROM parts p UNION SELECT e.id FROM parts p JOIN element e ON e.space_id = p.id;
END $$;
-- These and the elements of the granted storeys.
CREATE FUNCTION scope_elements(family text) RETURNS SETOF uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1000 SET search_path FROM CURRENT AS $$
BEGIN
    IF scope_ids(family, 'storeys') IS NOT NULL THEN
        RETURN QUERY SELECT e.id FROM element e WHERE e.storey_id = ANY (scope_ids(family, 'storeys'));
    END IF;
    IF scope_ids(family, 'systems') IS NOT NULL THEN RETURN QUERY SELECT scope_members(family); END IF;
END $$;
-- Storeys whose names are seen: the granted ones, and those that elements of granted systems are on.
CREATE FUNCTION scope_storeys(family text) RETURNS SETOF uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 10 SET search_path FROM CURRENT AS $$
BEGIN
    RETURN QUERY SELECT unnest(scope_ids(family, 'storeys'));
    IF scope_ids(family, 'systems') IS NOT NULL THEN
        RETURN QUERY SELECT e.storey_id FROM element e WHERE e.id IN (SELECT scope_members(family));
    END IF;
END $$;
-- Groups whose names are seen: the granted ones, and those that seen elements belong to.
CREATE FUNCTION scope_groups(family text) RETURNS SETOF uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 10 SET search_path FROM CURRENT AS $$
BEGIN
    IF scope_ids(family, 'storeys') IS NULL AND scope_ids(family, 'systems') IS NULL THEN RETURN; END IF;
    RETURN QUERY SELECT unnest(scope_ids(family, 'systems'))
        UNION SELECT m.group_id FROM element_group_member m WHERE m.element_id IN (SELECT scope_elements(family));
END $$;
-- Assets that are at seen elements now.
CREATE FUNCTION scope_assets(family text) RETURNS SETOF uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 10 SET search_path FROM CURRENT AS $$
BEGIN
    IF scope_ids(family, 'storeys') IS NULL AND scope_ids(family, 'systems') IS NULL THEN RETURN; END IF;
    RETURN QUERY SELECT b.asset_id FROM asset_binding b
        WHERE b.during @> now() AND b.element_id IN (SELECT scope_elements(family));
END $$;

-- The text of a condition that a row's place is in the scope of a family. `building`, `storey` and `element` are
-- expressions for its ids; a row without a storey of its own is on that of its element. Every sub-select is evaluated
-- once per query, and those on elements only for rows outside the granted buildings.
CREATE FUNCTION in_scope(family text, building text, storey text DEFAULT NULL, element text DEFAULT NULL) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT concat_ws(' OR ',
        format('(SELECT scope_all(%L))', family),
        CASE WHEN building IS NOT NULL
             THEN format('%s = ANY ((SELECT scope_ids(%L, ''buildings''))::uuid[])', building, family) END,
        CASE WHEN storey IS NOT NULL
             THEN format('%s = ANY ((SELECT scope_ids(%L, ''storeys''))::uuid[])', storey, family) END,
        CASE WHEN element IS NOT NULL
             THEN format('%s IN (SELECT %s(%L))', element,
                         CASE WHEN storey IS NULL THEN 'scope_elements' ELSE 'scope_members' END, family) END)
$$;

-- Give a table its row filter: the rows that limited callers see, and (unless these) those they may write.
CREATE FUNCTION limit_rows(filtered regclass, seen text, written text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', filtered);
    EXECUTE format('CREATE POLICY limited ON %s TO twin_limited USING (%s) WITH CHECK (%s)',
                   filtered, seen, coalesce(written, seen));
END $$;

-- Places. Of a building or storey that is granted in part the name is seen, no more.
SELECT limit_rows('site',
    $$ (SELECT scope_all('building')) OR id = ANY ((SELECT scope_ids('building', 'sites'))::uuid[])
       OR id IN (SELECT site_id FROM building) $$,
    $$ (SELECT scope_all('building')) $$);
SELECT limit_rows('building',
    $$ (SELECT scope_all('building')) OR id = ANY ((SELECT scope_ids('building', 'seen'))::uuid[])
       OR site_id = ANY ((SELECT scope_ids('building', 'sites'))::uuid[]) $$,
    in_scope('building', 'id') || $$ OR site_id = ANY ((SELECT scope_ids('building', 'sites'))::uuid[]) $$);
SELECT limit_rows('storey',
    in_scope('building', 'building_id') || $$ OR id IN (SELECT scope_storeys('building')) $$,
    in_scope('building', 'building_id'));

-- Models. The original file and the report tell of the whole building; a tile of a whole storey.
SELECT limit_rows('model',
    $$ (SELECT scope_all('model')) OR building_id = ANY ((SELECT scope_ids('model', 'seen'))::uuid[]) $$,
    in_scope('model', 'building_id'));
SELECT limit_rows('model_version',
    'EXISTS (SELECT FROM model m WHERE m.id = model_id AND (' || in_scope('model', 'm.building_id') || '))');
SELECT limit_rows('tile',
    in_scope('model', '(SELECT m.building_id FROM model m WHERE m.id = model_id)', 'storey_id'));
SELECT limit_rows('element',
    in_scope('model', 'building_id', 'storey_id', 'id')
    || $$ OR (ifc_class = 'IfcSpace' AND ($$ || in_scope('building', 'building_id', 'storey_id', 'id') || '))',
    in_scope('model', 'building_id', 'storey_id', 'id'));
SELECT limit_rows('space', 'EXISTS (SELECT FROM element e WHERE e.id = element_id)');
SELECT limit_rows('element_type',
    'EXISTS (SELECT FROM model m WHERE m.id = model_id AND (' || in_scope('model', 'm.building_id') || '))
     OR EXISTS (SELECT FROM element e WHERE e.type_id = element_type.id)',
    'EXISTS (SELECT FROM model m WHERE m.id = model_id AND (' || in_scope('model', 'm.building_id') || '))');
SELECT limit_rows('element_group',
    in_scope('model', 'building_id') || $$ OR id IN (SELECT scope_groups('model')) $$,
    in_scope('model', 'building_id'));
SELECT limit_rows('element_group_member', 'EXISTS (SELECT FROM element e WHERE e.id = element_id)');
SELECT limit_rows('element_group_serves', 'EXISTS (SELECT FROM element e WHERE e.id = element_id)');
SELECT limit_rows('element_group_child',
    'EXISTS (SELECT FROM element_group g WHERE g.id = group_id) AND EXISTS (SELECT FROM element_group g WHERE g.id = child_id)');
SELECT limit_rows('element_relation',
    'EXISTS (SELECT FROM element e WHERE e.id = from_id) AND EXISTS (SELECT FROM element e WHERE e.id = to_id)');
SELECT limit_rows('asset',
    in_scope('model', 'building_id') || $$ OR id IN (SELECT scope_assets('model')) $$);
SELECT limit_rows('asset_binding', 'EXISTS (SELECT FROM asset a WHERE a.id = asset_id)',
    'EXISTS (SELECT FROM asset a WHERE a.id = asset_id) AND EXISTS (SELECT FROM element e WHERE e.id = element_id)');

-- Points and values. `reading` carries no policy (compression on TimescaleDB forbids one): it is reached through point.
-- Who sends readings sees his own source; of the others those of buildings that he sees.
SELECT limit_rows('source',
    in_scope('point', 'building_id') || $$ OR name = (SELECT current_setting('twin.actor', true)) $$,
    in_scope('point', 'building_id'));
SELECT limit_rows('point', in_scope('point', 'building_id', NULL, 'element_id'));
SELECT limit_rows('latest',
    'EXISTS (SELECT FROM point p WHERE p.handle = point_id AND ('
    || in_scope('reading', 'p.building_id', NULL, 'p.element_id') || '))');
SELECT limit_rows('quarantine',
    $$ (SELECT scope_all('reading'))
       OR EXISTS (SELECT FROM source s WHERE s.id = source_id AND s.name = (SELECT current_setting('twin.actor', true)))
       OR EXISTS (SELECT FROM point p WHERE p.key = point_key AND ($$
    || in_scope('reading', 'p.building_id', NULL, 'p.element_id') || '))');
SELECT limit_rows('command', 'EXISTS (SELECT FROM point p WHERE p.handle = point_id)');

-- Alarms and work.
SELECT limit_rows('alarm_rule', in_scope('alarm', 'building_id', NULL,
    '(SELECT p.element_id FROM point p WHERE p.handle = point_id)'));
SELECT limit_rows('alarm_timer', 'EXISTS (SELECT FROM alarm_rule r WHERE r.id = rule_id)');
SELECT limit_rows('alarm', in_scope('alarm', 'building_id', 'storey_id', 'element_id'));
SELECT limit_rows('alarm_event', 'EXISTS (SELECT FROM alarm a WHERE a.id = alarm_id)');
-- A plan for a type or class is seen where it has an element that is seen; changing it takes the whole building.
SELECT limit_rows('plan',
    in_scope('work_order', 'building_id', NULL, 'element_id')
    || $$ OR group_id IN (SELECT scope_groups('work_order'))
          OR EXISTS (SELECT FROM element e WHERE e.building_id = plan.building_id
                     AND (e.type_id = plan.type_id OR plan.target_kind = 'class' AND EXISTS (
                          SELECT FROM ifc_class c WHERE c.name = e.ifc_class AND c.ancestor = plan.ifc_class))
                     AND ($$ || in_scope('work_order', 'e.building_id', 'e.storey_id', 'e.id') || '))',
    in_scope('work_order', 'building_id', NULL, 'element_id')
    || $$ OR group_id = ANY ((SELECT scope_ids('work_order', 'systems'))::uuid[]) $$);
SELECT limit_rows('plan_occurrence', 'EXISTS (SELECT FROM plan p WHERE p.id = plan_id)');
SELECT limit_rows('work_order', in_scope('work_order', 'building_id', 'storey_id', 'element_id'));
SELECT limit_rows('work_order_event', 'EXISTS (SELECT FROM work_order w WHERE w.id = work_order_id)');

-- To whom a notification goes is the business of its list; here it must be about something that is seen.
SELECT limit_rows('notification',
    $$ (work_order_id IS NULL OR EXISTS (SELECT FROM work_order w WHERE w.id = work_order_id))
       AND (alarm_id IS NULL OR EXISTS (SELECT FROM alarm a WHERE a.id = alarm_id))
       AND (building_id IS NULL OR EXISTS (SELECT FROM building b WHERE b.id = building_id)) $$);
SELECT limit_rows('notification_read', 'EXISTS (SELECT FROM notification n WHERE n.id = notification_id)');

-- One's own jobs, and those of whole buildings.
SELECT limit_rows('job',
    in_scope('job', 'building_id') || $$ OR created_by = (SELECT current_setting('twin.actor', true)) $$);

-- An event is written with the change it tells of, which has been checked; it is read like its subject.
SELECT limit_rows('event',
    $$ CASE topic
         WHEN 'alarm' THEN EXISTS (SELECT FROM alarm a WHERE a.id = (data->>'id')::uuid)
         WHEN 'work_order' THEN EXISTS (SELECT FROM work_order w WHERE w.id = (data->>'id')::uuid)
         WHEN 'notification' THEN EXISTS (SELECT FROM notification n WHERE n.id = (data->>'id')::bigint)
         WHEN 'point' THEN EXISTS (SELECT FROM point p WHERE p.id = (data->>'id')::uuid) OR $$
    || in_scope('point', 'building_id') || $$
         WHEN 'command' THEN EXISTS (SELECT FROM command c WHERE c.id = (data->>'id')::uuid)
         WHEN 'alarm_rule' THEN EXISTS (SELECT FROM alarm_rule r WHERE r.id = (data->>'id')::uuid)
         WHEN 'plan' THEN EXISTS (SELECT FROM plan p WHERE p.id = (data->>'id')::uuid)
         WHEN 'model' THEN EXISTS (SELECT FROM model m WHERE m.building_id = event.building_id)
         ELSE false
       END $$,
    'true');
