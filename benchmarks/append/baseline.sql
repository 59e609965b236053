-- name: make
DROP SCHEMA IF EXISTS baseline CASCADE;
CREATE SCHEMA baseline;
-- The columns of our events, three unique indexes, and a sequence in place of our head row.
CREATE TABLE baseline.events (
    position bigserial PRIMARY KEY,
    stream_id uuid NOT NULL,
    version bigint NOT NULL,
    command_id uuid NOT NULL UNIQUE,
    type text NOT NULL,
    recorded_at bigint NOT NULL,
    envelope bytea NOT NULL,
    body bytea NOT NULL,
    leaf_hash bytea NOT NULL,
    UNIQUE (stream_id, version)
);

-- name: transaction
INSERT INTO baseline.events (stream_id, version, command_id, type, recorded_at, envelope, body, leaf_hash)
VALUES (gen_random_uuid(), 1, gen_random_uuid(), 'ledger.v1.EntryRecorded', 1, '\x{envelope}', '\x{body}', '\x{leaf}');
