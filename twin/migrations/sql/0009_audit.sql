-- The audit trail (6.5.2a, 9.1.3-2): append-only, and chained by one sealer right after the commit
-- (identity/audit_chain.py). What is hashed, and how anyone can check it: docs/audit.md.

UPDATE audit SET result = 'failed' WHERE result NOT IN ('done', 'refused', 'failed');
ALTER TABLE audit
    ALTER COLUMN before TYPE json USING before::json,    -- json keeps the very text, and the text is what is hashed
    ALTER COLUMN after TYPE json USING after::json,
    ADD COLUMN account_id uuid,                          -- no foreign key: an entry outlives its account
    ADD COLUMN credential text,                          -- session:ID or key:ID
    ADD COLUMN request_id text,                          -- as in the log and in the answer's X-Request-ID
    ADD COLUMN seq bigint UNIQUE,                        -- 1, 2, 3, … without gaps; null until sealed
    ADD COLUMN previous bytea,                           -- hash of the entry before; 32 zero bytes before the first
    ADD COLUMN hash bytea,                               -- SM3, GB/T 32905-2016
    ADD CONSTRAINT audit_result CHECK (result IN ('done', 'refused', 'failed')),
    -- An export writes null as nothing, so nothing may not be a value.
    ADD CONSTRAINT audit_not_empty CHECK ('' NOT IN (actor, action, coalesce(address, '-'), coalesce(object, '-'),
                                                     coalesce(credential, '-'), coalesce(request_id, '-'))),
    ADD CONSTRAINT audit_sealed CHECK ((seq IS NULL) = (hash IS NULL) AND (seq IS NULL) = (previous IS NULL)
                                       AND length(hash) = 32 AND length(previous) = 32 AND seq > 0);

DROP INDEX audit_object, audit_actor;
CREATE INDEX audit_unsealed ON audit (id) WHERE seq IS NULL;
CREATE INDEX audit_at ON audit (at, id);
CREATE INDEX audit_actor ON audit (actor, at, id);
CREATE INDEX audit_object ON audit (object, at, id);
CREATE INDEX audit_action ON audit (action, at, id);

-- Entries up to `seq` may have been deleted because they were older than TWIN_AUDIT_KEEP; a line in the anchors says
-- the same.
CREATE TABLE audit_pruned (
    seq  bigint PRIMARY KEY,
    hash bytea NOT NULL,                                 -- of entry `seq`: the first that is left goes on from it
    at   timestamptz NOT NULL DEFAULT now()
);

-- The files outside the database that the chain is anchored in, and how far each was written: a file that was cut or
-- replaced is missed here.
CREATE TABLE audit_anchor (
    file  uuid PRIMARY KEY,                              -- stands in the file's first line
    place text NOT NULL,
    n     bigint NOT NULL CHECK (n > 0),                 -- lines
    seq   bigint NOT NULL,                               -- the last anchored entry
    mac   bytea NOT NULL,                                -- of the last line
    at    timestamptz NOT NULL DEFAULT now()
);

CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit trail is append-only: % on % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE FUNCTION audit_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.seq IS NULL OR OLD.seq > (SELECT coalesce(max(seq), 0) FROM audit_pruned) THEN
        RAISE EXCEPTION 'the audit trail is append-only: % on % is refused', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN OLD;
END $$;

CREATE FUNCTION audit_pruning() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- 183 days: the least that the classified protection of information systems (GB/T 22239-2019, 8.1.5.4) and the
    -- Cybersecurity Law (article 21) ask for.
    IF NOT EXISTS (SELECT FROM audit WHERE seq = NEW.seq AND hash = NEW.hash)
       OR EXISTS (SELECT FROM audit WHERE seq <= NEW.seq AND at > now() - interval '183 days') THEN
        RAISE EXCEPTION 'entries up to % cannot be pruned: not sealed so, or younger than 183 days', NEW.seq
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;

-- The chain is the sealer's: nobody writes a sealed row, and an unsealed one changes only by being sealed.
CREATE TRIGGER audit_insert BEFORE INSERT ON audit FOR EACH ROW
    WHEN (NEW.seq IS NOT NULL) EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_update BEFORE UPDATE ON audit FOR EACH ROW
    WHEN (OLD.seq IS NOT NULL OR NEW.seq IS NULL
          OR (OLD.id, OLD.at, OLD.actor, OLD.account_id, OLD.credential, OLD.address, OLD.request_id, OLD.action,
              OLD.object, OLD.result, OLD.before::text, OLD.after::text)
             IS DISTINCT FROM
             (NEW.id, NEW.at, NEW.actor, NEW.account_id, NEW.credential, NEW.address, NEW.request_id, NEW.action,
              NEW.object, NEW.result, NEW.before::text, NEW.after::text))
    EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_delete BEFORE DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_deleted();
CREATE TRIGGER audit_truncate BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_pruned_insert BEFORE INSERT ON audit_pruned FOR EACH ROW EXECUTE FUNCTION audit_pruning();
CREATE TRIGGER audit_pruned_change BEFORE UPDATE OR DELETE ON audit_pruned FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_pruned_truncate BEFORE TRUNCATE ON audit_pruned FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_anchor_update BEFORE UPDATE ON audit_anchor FOR EACH ROW
    WHEN (NEW.file IS DISTINCT FROM OLD.file OR NEW.n <= OLD.n OR NEW.seq < OLD.seq) EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_anchor_delete BEFORE DELETE ON audit_anchor FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_anchor_truncate BEFORE TRUNCATE ON audit_anchor FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();

-- Also where session_replication_role says that triggers rest.
ALTER TABLE audit ENABLE ALWAYS TRIGGER audit_update;
ALTER TABLE audit ENABLE ALWAYS TRIGGER audit_delete;
ALTER TABLE audit ENABLE ALWAYS TRIGGER audit_truncate;

-- A caller with limited grants leaves entries and sees none.
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'twin_limited') THEN
        REVOKE ALL ON audit, audit_pruned, audit_anchor FROM twin_limited;
        GRANT INSERT ON audit TO twin_limited;
    END IF;
END $$;
