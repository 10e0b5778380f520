-- Alarms (ISA-18.2 / IEC 62682), work orders, plans.

CREATE TABLE alarm_rule (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    building_id     uuid NOT NULL REFERENCES building ON DELETE CASCADE,
    point_id        int NOT NULL REFERENCES point ON DELETE CASCADE,
    name            text NOT NULL,
    kind            text NOT NULL CHECK (kind IN ('high', 'low')),
    alarm_setpoint  float8 NOT NULL,                     -- in the point's unit; "limit" in the API
    deadband        float8 NOT NULL DEFAULT 0 CHECK (deadband >= 0),
    on_delay        interval NOT NULL DEFAULT '0' CHECK (on_delay >= '0'),
    severity        text NOT NULL CHECK (severity IN ('low', 'medium', 'high', 'critical')),
    latching        boolean NOT NULL DEFAULT false,      -- stays after return until it is reset
    enabled         boolean NOT NULL DEFAULT true,
    work_order      boolean NOT NULL DEFAULT false,      -- make a work order at once when it rises (7.7.1a-1)
    crew            text,                                -- role or account told of that order
    created_at      timestamptz NOT NULL DEFAULT now(),
    changed_at      timestamptz NOT NULL DEFAULT now(),
    deleted_at      timestamptz
);
CREATE INDEX alarm_rule_point ON alarm_rule (point_id) WHERE deleted_at IS NULL;
CREATE INDEX alarm_rule_building ON alarm_rule (building_id, created_at, id) WHERE deleted_at IS NULL;

-- Whoever evaluates rules listens, so that a change counts from its commit on.
CREATE FUNCTION alarm_rule_written() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('twin_alarm_rule', '');
    RETURN NULL;
END $$;
CREATE TRIGGER alarm_rule_written AFTER INSERT OR UPDATE OR DELETE ON alarm_rule
    FOR EACH STATEMENT EXECUTE FUNCTION alarm_rule_written();

-- A condition that has not yet lasted as long as its on-delay. A row, so that a restart loses none.
CREATE TABLE alarm_timer (
    rule_id uuid PRIMARY KEY REFERENCES alarm_rule ON DELETE CASCADE,
    since   timestamptz NOT NULL,                        -- event time of the first exceeding reading
    due_at  timestamptz NOT NULL,
    value   float8 NOT NULL,
    frozen_at timestamptz                                -- bad quality stops the clock
);
CREATE INDEX alarm_timer_due ON alarm_timer (due_at) WHERE frozen_at IS NULL;

CREATE TABLE alarm (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    rule_id     uuid NOT NULL REFERENCES alarm_rule,
    point_id    int NOT NULL REFERENCES point,
    building_id uuid NOT NULL REFERENCES building ON DELETE CASCADE,
    storey_id   uuid REFERENCES storey ON DELETE SET NULL,
    space_id    uuid REFERENCES element ON DELETE SET NULL,
    element_id  uuid REFERENCES element ON DELETE SET NULL,
    asset_id    uuid REFERENCES asset,
    position    float8[3],                               -- m, building frame
    viewpoint   jsonb,                                   -- {"eye": [x,y,z], "target": [x,y,z]}, m, building frame
    severity    text NOT NULL,
    code        text NOT NULL,                           -- of its text in maintenance/messages.toml: alarm.high | alarm.low
    params      jsonb NOT NULL DEFAULT '{}',             -- what fills that text: point, value, limit, unit, place, …
    message     text NOT NULL,                           -- that text in the installation's language, for those who take no codes
    value       float8 NOT NULL,                         -- that made it rise, the last time
    count       int NOT NULL DEFAULT 1,                  -- how often it rose while open
    active      boolean NOT NULL DEFAULT true,           -- the condition holds
    acked       boolean NOT NULL DEFAULT false,
    latched     boolean NOT NULL DEFAULT false,          -- waits for a reset, even when the condition is gone
    shelved_until timestamptz,                           -- null: not shelved
    raised_at   timestamptz NOT NULL,                    -- event time of the first rise
    rose_at     timestamptz NOT NULL,                    -- and of the last
    returned_at timestamptz,
    acked_at    timestamptz,
    acked_by    text,
    closed_at   timestamptz,                             -- returned, acknowledged, not latched, not shelved
    state       text NOT NULL GENERATED ALWAYS AS (      -- as maintenance.alarm_state.display_state
        CASE WHEN closed_at IS NOT NULL THEN 'closed'
             WHEN shelved_until IS NOT NULL THEN 'shelved'
             WHEN active AND acked THEN 'acked'
             WHEN active THEN 'unacked'
             WHEN latched AND acked THEN 'latched_acked'
             WHEN latched THEN 'latched_unacked'
             ELSE 'rtn_unacked' END) STORED
);
CREATE UNIQUE INDEX alarm_open ON alarm (rule_id, point_id) WHERE closed_at IS NULL;
CREATE INDEX alarm_building ON alarm (building_id, raised_at DESC, id DESC);
CREATE INDEX alarm_time ON alarm (raised_at DESC, id DESC);
CREATE INDEX alarm_open_time ON alarm (raised_at DESC, id DESC) WHERE closed_at IS NULL;
CREATE INDEX alarm_shelved ON alarm (shelved_until) WHERE closed_at IS NULL AND shelved_until IS NOT NULL;
CREATE INDEX alarm_element ON alarm (element_id);

CREATE TABLE alarm_event (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alarm_id uuid NOT NULL REFERENCES alarm ON DELETE CASCADE,
    at       timestamptz NOT NULL DEFAULT now(),
    kind     text NOT NULL,     -- raised | again | returned | acknowledged | closed | reset | shelved | unshelved | comment | work_order
    actor    text NOT NULL,
    value    float8,
    comment  text
);
CREATE INDEX alarm_event_alarm ON alarm_event (alarm_id, id);

CREATE TABLE plan (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    building_id uuid NOT NULL REFERENCES building ON DELETE CASCADE,
    name        text NOT NULL,
    description text,
    rrule       text,                                    -- RFC 5545, in the site's time zone; null: once, at starts_at
    starts_at   timestamptz NOT NULL,
    lead        interval NOT NULL DEFAULT '0' CHECK (lead >= '0'),  -- orders are made this long before they are due
    priority    text NOT NULL DEFAULT 'medium' CHECK (priority IN ('low', 'medium', 'high', 'critical')),
    target_kind text NOT NULL CHECK (target_kind IN ('element', 'type', 'class', 'system')),
    element_id  uuid REFERENCES element,
    type_id     uuid REFERENCES element_type,
    group_id    uuid REFERENCES element_group,
    ifc_class   text,
    crew        text,
    checklist   jsonb NOT NULL DEFAULT '[]',             -- [text, …]
    enabled     boolean NOT NULL DEFAULT true,
    next_due    timestamptz,                             -- null: the rule has ended
    created_by  text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    deleted_at  timestamptz
);
CREATE INDEX plan_next ON plan (next_due) WHERE enabled AND deleted_at IS NULL;
CREATE INDEX plan_building ON plan (building_id, created_at, id) WHERE deleted_at IS NULL;

-- What became of each time a plan fell due. The key makes every occurrence happen once.
CREATE TABLE plan_occurrence (
    plan_id uuid NOT NULL REFERENCES plan ON DELETE CASCADE,
    due_at  timestamptz NOT NULL,
    state   text NOT NULL CHECK (state IN ('made', 'missed')),  -- missed: it passed while nobody was looking, a later one was made
    orders  int NOT NULL DEFAULT 0,
    at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (plan_id, due_at)
);

-- How long an order may take, by its priority, where nobody gives it a due time.
CREATE TABLE service_level (
    priority text PRIMARY KEY CHECK (priority IN ('low', 'medium', 'high', 'critical')),
    within   interval NOT NULL CHECK (within > '0')
);
INSERT INTO service_level VALUES
    ('critical', '2 hours'), ('high', '8 hours'), ('medium', '3 days'), ('low', '14 days');

CREATE TABLE work_order (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    number      int GENERATED ALWAYS AS IDENTITY UNIQUE, -- spoken on the radio
    building_id uuid NOT NULL REFERENCES building ON DELETE CASCADE,
    title       text NOT NULL CHECK (title <> ''),
    description text,
    state       text NOT NULL DEFAULT 'open'
                CHECK (state IN ('open', 'assigned', 'in_progress', 'done', 'verified', 'cancelled')),
    priority    text NOT NULL DEFAULT 'medium' CHECK (priority IN ('low', 'medium', 'high', 'critical')),
    origin      text NOT NULL CHECK (origin IN ('alarm', 'plan', 'manual')),
    alarm_id    uuid REFERENCES alarm,
    plan_id     uuid REFERENCES plan,
    plan_due    timestamptz,                             -- which occurrence of the plan
    storey_id   uuid REFERENCES storey ON DELETE SET NULL,
    space_id    uuid REFERENCES element ON DELETE SET NULL,
    element_id  uuid REFERENCES element ON DELETE SET NULL,
    asset_id    uuid REFERENCES asset,
    position    float8[3],
    viewpoint   jsonb,
    assignee    text,                                    -- account name
    crew        text,                                    -- role told of it
    checklist   jsonb NOT NULL DEFAULT '[]',             -- [{text, done}]
    due_at      timestamptz,
    result      text,
    created_by  text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    started_at  timestamptz,
    done_at     timestamptz,
    done_by     text,                                    -- who says so; someone else verifies
    closed_at   timestamptz,                             -- verified or cancelled
    closed_by   text,
    UNIQUE NULLS DISTINCT (plan_id, plan_due, element_id)
);
CREATE INDEX work_order_building ON work_order (building_id, created_at DESC, id DESC);
CREATE INDEX work_order_time ON work_order (created_at DESC, id DESC);
CREATE INDEX work_order_alarm ON work_order (alarm_id) WHERE alarm_id IS NOT NULL;
CREATE INDEX work_order_plan ON work_order (building_id, plan_due) WHERE plan_due IS NOT NULL;
CREATE INDEX work_order_element ON work_order (element_id);
CREATE UNIQUE INDEX work_order_of_alarm ON work_order (alarm_id)
    WHERE state NOT IN ('verified', 'cancelled');       -- one at a time

CREATE TABLE work_order_event (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    work_order_id uuid NOT NULL REFERENCES work_order ON DELETE CASCADE,
    at            timestamptz NOT NULL DEFAULT now(),
    kind          text NOT NULL,   -- created | assigned | started | done | verified | reopened | cancelled | comment | checked
    actor         text NOT NULL,
    comment       text,
    data          jsonb
);
CREATE INDEX work_order_event_order ON work_order_event (work_order_id, id);

-- In the app, for one account or for everyone with a role (7.7.1a-2).
CREATE TABLE notification (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_name  text,
    role          text,
    code          text NOT NULL,                         -- of its text in maintenance/messages.toml
    params        jsonb NOT NULL DEFAULT '{}',
    building_id   uuid REFERENCES building ON DELETE CASCADE,
    work_order_id uuid REFERENCES work_order ON DELETE CASCADE,
    alarm_id      uuid REFERENCES alarm ON DELETE CASCADE,
    at            timestamptz NOT NULL DEFAULT now(),
    CHECK (account_name IS NOT NULL OR role IS NOT NULL)
);
CREATE INDEX notification_account ON notification (account_name, id) WHERE account_name IS NOT NULL;
CREATE INDEX notification_role ON notification (role, id) WHERE role IS NOT NULL;

-- Each reader for himself: what one of a crew has read is still new to the others.
CREATE TABLE notification_read (
    notification_id bigint NOT NULL REFERENCES notification ON DELETE CASCADE,
    reader          text NOT NULL,                       -- actor, e.g. account:li
    at              timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (reader, notification_id)
);
