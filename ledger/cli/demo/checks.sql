-- name: events
SELECT position, stream_id, version, type, recorded_at, envelope, body, leaf_hash FROM {schema}.events ORDER BY position

-- name: middle
SELECT greatest(max(position) / 2, 1) FROM {schema}.events

-- name: let_change
ALTER TABLE {schema}.events DISABLE TRIGGER ALL

-- name: change_byte
UPDATE {schema}.events SET body = set_byte(body, length(body) / 2, get_byte(body, length(body) / 2) # 1)
WHERE position = $1
