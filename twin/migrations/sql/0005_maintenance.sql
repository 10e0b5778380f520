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
    enabled         boolean NOT NULL DEFAULT true,
    work_order      boolean NOT NULL DEFAULT false,      -- make a work order at once when it rises (7.7.1a-1)
    crew            text,                                -- role or account told of that order
    created_at      timestamptz NOT NULL DEFAULT now(),
    deleted_at      timestamptz
);
CREATE INDEX alarm_rule_point ON alarm_rule (point_id) WHERE deleted_at IS NULL;

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
    message     text NOT NULL,
    value       float8 NOT NULL,                         -- worst value since it rose
    count       int NOT NULL DEFAULT 1,                  -- how often it rose while open
    active      boolean NOT NULL DEFAULT true,           -- the condition holds
    acked       boolean NOT NULL DEFAULT false,
    shelved_until timestamptz,
    raised_at   timestamptz NOT NULL,                    -- event time
    returned_at timestamptz,
    acked_at    timestamptz,
    acked_by    text,
    closed_at   timestamptz                              -- returned and acknowledged
);
CREATE UNIQUE INDEX alarm_open ON alarm (rule_id, point_id) WHERE closed_at IS NULL;
CREATE INDEX alarm_building ON alarm (building_id, raised_at DESC);
CREATE INDEX alarm_element ON alarm (element_id);

CREATE TABLE alarm_event (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alarm_id uuid NOT NULL REFERENCES alarm ON DELETE CASCADE,
    at       timestamptz NOT NULL DEFAULT now(),
    kind     text NOT NULL,     -- raised | again | returned | acknowledged | closed | comment | work_order | shelved | unshelved
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
    rrule       text NOT NULL,                           -- RFC 5545, in the site's time zone
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
    created_at  timestamptz NOT NULL DEFAULT now(),
    deleted_at  timestamptz
);
CREATE INDEX plan_next ON plan (next_due) WHERE enabled AND deleted_at IS NULL;

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
    closed_at   timestamptz,                             -- verified or cancelled
    UNIQUE NULLS DISTINCT (plan_id, plan_due, element_id)
);
CREATE INDEX work_order_building ON work_order (building_id, created_at DESC);
CREATE INDEX work_order_element ON work_order (element_id);
CREATE UNIQUE INDEX work_order_of_alarm ON work_order (alarm_id) WHERE state <> 'cancelled';

CREATE TABLE work_order_event (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    work_order_id uuid NOT NULL REFERENCES work_order ON DELETE CASCADE,
    at            timestamptz NOT NULL DEFAULT now(),
    kind          text NOT NULL,   -- created | assigned | started | done | verified | reopened | cancelled | comment
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
    work_order_id uuid REFERENCES work_order ON DELETE CASCADE,
    alarm_id      uuid REFERENCES alarm ON DELETE CASCADE,
    at            timestamptz NOT NULL DEFAULT now(),
    read_at       timestamptz,
    CHECK (account_name IS NOT NULL OR role IS NOT NULL)
);
CREATE INDEX notification_unread ON notification (account_name, role) WHERE read_at IS NULL;
