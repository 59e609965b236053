-- name: origin
SELECT origin FROM ledger_control.hospitals WHERE id = $1

-- name: head
SELECT position FROM {schema}.head

-- name: lock_head
SELECT position FROM {schema}.head FOR UPDATE

-- name: envelopes
SELECT position, envelope FROM {schema}.events WHERE position > $1 ORDER BY position LIMIT $2

-- name: stream_head
SELECT version, leaf_hash FROM {schema}.stream_heads WHERE stream_id = $1

-- name: insert_event
INSERT INTO {schema}.events (position, stream_id, version, type, recorded_at, envelope, body, leaf_hash)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: move_stream_head
INSERT INTO {schema}.stream_heads AS s
    (stream_id, kind, version, leaf_hash, first_position, last_position, recorded_at)
VALUES ($1, $2, $3, $4, $5, $5, $6)
ON CONFLICT (stream_id) DO UPDATE SET version = excluded.version, leaf_hash = excluded.leaf_hash,
    last_position = excluded.last_position, recorded_at = excluded.recorded_at

-- name: advance_head
UPDATE {schema}.head SET position = $1, leaf_hash = $2
