-- Logs that ended for ever because their last events were lost. A row is never changed or taken away: the origin it
-- names is never written under again.
CREATE TABLE ledger_control.ended_logs (
    origin text PRIMARY KEY,
    hospital text NOT NULL REFERENCES ledger_control.hospitals (id),
    successor text NOT NULL UNIQUE,
    surviving bigint NOT NULL CHECK (surviving >= 0),
    ended_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN ledger_control.ended_logs.surviving IS 'The last position that the successor takes over; its LogSucceeded is the next.';

CREATE FUNCTION ledger_control.refuse_other_end() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    RAISE EXCEPTION 'a log that ended stays so: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END;
$body$;
CREATE TRIGGER ends_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_control.ended_logs
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_control.refuse_other_end();
ALTER TABLE ledger_control.ended_logs ENABLE ALWAYS TRIGGER ends_never_change;

-- A server that was started before the succession still seals under the ended origin; what it appends must not stand.
-- One look for a group: all its events were sealed by one process under one origin, so the last one speaks for all. The
-- tag of the field that follows (26) keeps .../1 apart from .../12.
CREATE FUNCTION ledger_control.refuse_ended_log() RETURNS trigger LANGUAGE plpgsql AS $body$
DECLARE
    v_first bigint;
    v_origin bytea;
    v_type text;
    v_envelope bytea;
    v_at integer;
BEGIN
    SELECT l.surviving + 1, convert_to(l.successor, 'UTF8') INTO v_first, v_origin
    FROM ledger_control.ended_logs AS l JOIN ledger_control.hospitals AS h ON h.origin = l.successor
    WHERE l.hospital = substr(TG_TABLE_SCHEMA, 3);
    IF NOT FOUND OR new.position < v_first THEN
        RETURN new;
    END IF;
    EXECUTE format('SELECT type FROM %I.events WHERE position = $1', TG_TABLE_SCHEMA) INTO v_type USING v_first;
    EXECUTE format('SELECT envelope FROM %I.events WHERE position = $1', TG_TABLE_SCHEMA)
        INTO v_envelope USING new.position;
    v_at := CASE WHEN octet_length(v_origin) < 128 THEN 5 ELSE 6 END;
    IF v_type IS DISTINCT FROM 'ledger.v1.LogSucceeded'
        OR substr(v_envelope, v_at, octet_length(v_origin) + 1) IS DISTINCT FROM v_origin || '\x1a'::bytea
    THEN
        RAISE EXCEPTION 'this log has ended, or its successor has not begun' USING ERRCODE = 'LE003';
    END IF;
    RETURN new;
END;
$body$;

GRANT SELECT ON ledger_control.ended_logs TO ledger_append, ledger_stream, ledger_views;
