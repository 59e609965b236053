-- One hospital's ledger. {schema} is the quoted schema, {views} the schema in which its views are built.
CREATE TABLE {schema}.head (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    position bigint NOT NULL,
    leaf_hash bytea NOT NULL
) WITH (fillfactor = 10);
INSERT INTO {schema}.head (position, leaf_hash) VALUES (0, ''::bytea);

CREATE TABLE {schema}.events (
    position bigint PRIMARY KEY,
    stream_id uuid NOT NULL,
    version bigint NOT NULL,
    type text NOT NULL,
    recorded_at bigint NOT NULL,
    envelope bytea NOT NULL,
    body bytea NOT NULL,
    leaf_hash bytea NOT NULL,
    traceparent text,
    UNIQUE (stream_id, version)
);

CREATE TABLE {schema}.stream_heads (
    stream_id uuid PRIMARY KEY,
    kind text NOT NULL,
    version bigint NOT NULL,
    leaf_hash bytea NOT NULL,
    first_position bigint NOT NULL,
    last_position bigint NOT NULL,
    recorded_at bigint NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX stream_heads_by_kind ON {schema}.stream_heads (kind, first_position);

CREATE TABLE {schema}.commands (
    command_id uuid PRIMARY KEY,
    content bytea NOT NULL,
    rpc text NOT NULL,
    stream_id uuid NOT NULL,
    version bigint NOT NULL,
    first_position bigint NOT NULL,
    last_position bigint NOT NULL,
    result bytea NOT NULL
);

-- What holds across records. Keys are HMACs under the hospital's reservation key; rows can be erased, events cannot.
CREATE TABLE {schema}.reservations (
    kind text NOT NULL,
    key bytea NOT NULL,
    value bytea NOT NULL DEFAULT ''::bytea,
    counter bigint NOT NULL DEFAULT 0,
    stream_id uuid,
    group_key bytea,
    PRIMARY KEY (kind, key)
) WITH (fillfactor = 80);
CREATE INDEX reservations_by_group ON {schema}.reservations (kind, group_key, key) WHERE group_key IS NOT NULL;

CREATE TABLE {schema}.reservation_key (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    key bytea NOT NULL CHECK (length(key) = 32)
);
-- Two UUIDs hold 244 bits from the server's strong random source; SHA-256 makes them one key of 32 bytes.
INSERT INTO {schema}.reservation_key (key)
VALUES (sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())));

-- Who an actor id stands for: outside the events, mutable, erasable.
CREATE TABLE {schema}.actors (
    actor_id uuid PRIMARY KEY,
    name text NOT NULL,
    role text NOT NULL,
    department text NOT NULL,
    licence text NOT NULL,
    source text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now()
);

CREATE FUNCTION {schema}.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    RAISE EXCEPTION 'events are never changed: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END;
$body$;
CREATE TRIGGER events_rows_never_change BEFORE UPDATE OR DELETE ON {schema}.events
    FOR EACH ROW EXECUTE FUNCTION {schema}.refuse_change();
CREATE TRIGGER events_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {schema}.events
    FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse_change();
ALTER TABLE {schema}.events ENABLE ALWAYS TRIGGER events_rows_never_change;
ALTER TABLE {schema}.events ENABLE ALWAYS TRIGGER events_never_change;

CREATE FUNCTION {schema}.refuse_shorter_head() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF new.position <= old.position THEN
        RAISE EXCEPTION 'the head only grows: % to % refused', old.position, new.position
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN new;
END;
$body$;
CREATE TRIGGER head_only_grows BEFORE UPDATE ON {schema}.head
    FOR EACH ROW EXECUTE FUNCTION {schema}.refuse_shorter_head();

-- Every append remembers its commands, so here is where a closed hospital is seen, once for each group.
CREATE FUNCTION {schema}.refuse_when_closed() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    PERFORM 1 FROM ledger_control.hospitals WHERE id = substr(TG_TABLE_SCHEMA, 3) AND state = 'closed';
    IF FOUND THEN
        RAISE EXCEPTION 'a closed hospital takes no appends' USING ERRCODE = 'LE002';
    END IF;
    RETURN NULL;
END;
$body$;
CREATE TRIGGER closed_takes_no_appends BEFORE INSERT ON {schema}.commands
    FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse_when_closed();

GRANT USAGE ON SCHEMA {schema} TO ledger_append, ledger_stream, ledger_views;
GRANT SELECT, INSERT ON {schema}.events, {schema}.commands TO ledger_append;
GRANT SELECT, UPDATE ON {schema}.head TO ledger_append;
GRANT SELECT, INSERT, UPDATE ON {schema}.stream_heads, {schema}.reservations, {schema}.actors TO ledger_append;
GRANT SELECT ON {schema}.reservation_key TO ledger_append;
GRANT SELECT ON {schema}.events, {schema}.head, {schema}.stream_heads TO ledger_stream;
GRANT SELECT (position, stream_id, version, leaf_hash) ON {schema}.events TO ledger_views;
GRANT SELECT ON {schema}.head TO ledger_views;

CREATE SCHEMA IF NOT EXISTS {views};
GRANT USAGE, CREATE ON SCHEMA {views} TO ledger_views;
