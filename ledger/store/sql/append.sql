-- name: append_one
SELECT * FROM {schema}.append_one($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)

-- name: append_group
SELECT * FROM {schema}.append_group(
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
    $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40
)

-- name: copy_events
COPY {schema}.events (position, stream_id, version, type, recorded_at, envelope, body, leaf_hash, traceparent)
FROM STDIN WITH (FORMAT binary)

-- name: advance_head
UPDATE {schema}.head SET position = $1, leaf_hash = $2

-- name: begin
BEGIN ISOLATION LEVEL READ COMMITTED

-- name: commit
COMMIT

-- name: rollback
ROLLBACK

-- name: end_backend
-- Waits until the backend of a lost connection is gone, so that what it was doing is decided. No row where it was gone
-- before, false where it does not end in time.
SELECT pg_terminate_backend(pid, $3) FROM pg_stat_activity WHERE pid = $1 AND backend_start = $2

-- name: end_stalled_copy
-- Ends appends whose process has stopped in the middle of a COPY: waiting for its rows, PostgreSQL heeds no timeout.
SELECT pg_terminate_backend(pid, $2) FROM pg_stat_activity
WHERE datname = current_database() AND usename = current_user AND starts_with(query, $1) AND state = 'active'
    AND wait_event = 'ClientRead' AND query_start < clock_timestamp() - interval '5 s'

-- name: backend_start
SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()

-- name: find_command
SELECT content, rpc, stream_id, version, first_position, last_position, result
FROM {schema}.commands WHERE command_id = $1

-- name: hint
SELECT pg_notify($1, $2)
