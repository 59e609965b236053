-- name: hospitals
-- A closed hospital's last events are integrated like all before them.
SELECT id, origin, schema_version FROM ledger_control.hospitals WHERE state <> 'adding' ORDER BY id

-- name: head
SELECT {id} AS id, position FROM {schema}.head

-- name: after
-- At least one event; more as long as the bodies before them stay below $3 bytes.
SELECT position, envelope, body
FROM (
    SELECT page.*, sum(octet_length(body)) OVER (ORDER BY position) - octet_length(body) AS before
    FROM (
        SELECT position, envelope, body FROM {schema}.events WHERE position > $1 ORDER BY position LIMIT $2
    ) AS page
) AS summed
WHERE before < $3 ORDER BY position

-- name: envelope
SELECT envelope FROM {schema}.events WHERE position = $1

-- name: envelopes
SELECT envelope FROM {schema}.events WHERE position > $1 AND position <= $2 ORDER BY position LIMIT $3

-- name: age
-- Seconds since the event was recorded, by the database's clock.
SELECT greatest(0, extract(epoch FROM clock_timestamp()) - recorded_at / 1000000.0)::float8
FROM {schema}.events WHERE position = $1
