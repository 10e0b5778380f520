-- Messages of a broker, counted as what became of them: what they held is in accepted, duplicate and rejected.

ALTER TABLE source
    ADD COLUMN messages       bigint NOT NULL DEFAULT 0,
    ADD COLUMN messages_empty bigint NOT NULL DEFAULT 0,  -- held no reading, and nothing was wrong
    ADD COLUMN messages_lost  bigint NOT NULL DEFAULT 0;  -- of QoS 0, dropped because more came than could be stored
