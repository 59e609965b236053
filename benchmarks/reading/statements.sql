-- name: record
SELECT envelope, body FROM {schema}.events WHERE stream_id = $1 ORDER BY version

-- name: few
SELECT envelope, body FROM {schema}.events WHERE stream_id = $1 AND version > 0 ORDER BY version LIMIT 20

-- name: batch
SELECT position, envelope, body FROM {schema}.events WHERE position > $1 ORDER BY position LIMIT 256
