-- The data keys of records, wrapped, in a schema and under a role of their own: who appends, publishes or keeps views
-- must not read them. The keys that unwrap them are never in the database.
CREATE SCHEMA ledger_keys;

CREATE TABLE ledger_keys.record_keys (
    origin text NOT NULL,
    stream_id uuid NOT NULL,
    key_id bytea NOT NULL CHECK (length(key_id) = 16),
    generation integer NOT NULL CHECK (generation > 0),
    wrapped bytea CHECK (length(wrapped) BETWEEN 1 AND 1024),
    made_at timestamptz NOT NULL DEFAULT now(),
    destroyed_by bigint CHECK (destroyed_by > 0),
    destroyed_at timestamptz,
    PRIMARY KEY (origin, stream_id),
    CONSTRAINT live_or_tombstone CHECK (
        (wrapped IS NULL) = (destroyed_by IS NOT NULL) AND (wrapped IS NULL) = (destroyed_at IS NOT NULL)
    )
) WITH (fillfactor = 90);
COMMENT ON COLUMN ledger_keys.record_keys.destroyed_by IS 'Position of the RecordDestroyed; the row is a tombstone then.';

-- A live row may be wrapped anew by a later generation, or become a tombstone; a tombstone stays as it is.
CREATE FUNCTION ledger_keys.refuse_other_change() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF old.wrapped IS NOT NULL
            AND (new.origin, new.stream_id, new.key_id, new.made_at)
                = (old.origin, old.stream_id, old.key_id, old.made_at)
            AND ((new.wrapped IS NULL AND new.generation = old.generation)
                OR (new.wrapped IS NOT NULL AND new.generation > old.generation))
        THEN
            RETURN new;
        END IF;
    END IF;
    RAISE EXCEPTION 'keys are wrapped anew or destroyed, nothing else: % refused', TG_OP
        USING ERRCODE = 'insufficient_privilege';
END;
$body$;
CREATE TRIGGER record_keys_rows BEFORE UPDATE OR DELETE ON ledger_keys.record_keys
    FOR EACH ROW EXECUTE FUNCTION ledger_keys.refuse_other_change();
CREATE TRIGGER record_keys_whole BEFORE TRUNCATE ON ledger_keys.record_keys
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_keys.refuse_other_change();
ALTER TABLE ledger_keys.record_keys ENABLE ALWAYS TRIGGER record_keys_rows;
ALTER TABLE ledger_keys.record_keys ENABLE ALWAYS TRIGGER record_keys_whole;

GRANT USAGE ON SCHEMA ledger_keys TO ledger_keys;
GRANT SELECT, INSERT ON ledger_keys.record_keys TO ledger_keys;
GRANT UPDATE (generation, wrapped, destroyed_by, destroyed_at) ON ledger_keys.record_keys TO ledger_keys;
