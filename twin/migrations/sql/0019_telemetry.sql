-- Sources that the server itself goes to: brokers (telemetry/mqtt.py).

ALTER TABLE source
    ADD COLUMN settings   jsonb,                         -- how to reach it and how its messages become readings
    ADD COLUMN secret     bytea,                         -- its password, sealed (identity/sealing.py)
    ADD COLUMN enabled    boolean NOT NULL DEFAULT true,
    ADD COLUMN revision   int NOT NULL DEFAULT 1,        -- counts changes of the above
    ADD COLUMN state      text,                          -- connecting | connected | waiting | failed; null: it comes to us
    ADD COLUMN state_text text,                          -- why it failed
    ADD COLUMN state_at   timestamptz;
