-- name: make
DROP SCHEMA IF EXISTS reads CASCADE;
CREATE SCHEMA reads;
CREATE TABLE reads.events (
    position bigserial PRIMARY KEY,
    stream_id uuid NOT NULL,
    version bigint NOT NULL,
    envelope bytea NOT NULL,
    body bytea NOT NULL,
    UNIQUE (stream_id, version)
);

-- name: fill
INSERT INTO reads.events (stream_id, version, envelope, body)
SELECT md5(record::text)::uuid, version, %(envelope)s, %(body)s
FROM generate_series(0, %(records)s - 1) AS record, generate_series(1, %(each)s) AS version;

-- name: settle
VACUUM (ANALYZE) reads.events

-- name: few
\set record random(0, {records} - 1)
SELECT envelope, body FROM reads.events WHERE stream_id = md5((:record)::text)::uuid AND version > 0
ORDER BY version LIMIT {each};

-- name: batch
SELECT position, envelope, body FROM reads.events WHERE position > $1 ORDER BY position LIMIT 1000
