-- name: read_stream
-- At least one event; more as long as the bodies before them stay below $4 bytes.
SELECT position, version, type, recorded_at, envelope, body, leaf_hash, traceparent
FROM (
    SELECT page.*, sum(octet_length(body)) OVER (ORDER BY version) - octet_length(body) AS before
    FROM (SELECT * FROM {schema}.events WHERE stream_id = $1 AND version > $2 ORDER BY version LIMIT $3) AS page
) AS summed
WHERE before < $4 ORDER BY version

-- name: read_few
-- So few events that their bodies stay below the bound of a page.
SELECT position, version, type, recorded_at, envelope, body, leaf_hash, traceparent
FROM {schema}.events WHERE stream_id = $1 AND version > $2 ORDER BY version LIMIT $3

-- name: read_positions
SELECT position, stream_id, version, type, recorded_at, envelope, body, leaf_hash, traceparent
FROM (
    SELECT page.*, sum(octet_length(body)) OVER (ORDER BY position) - octet_length(body) AS before
    FROM (SELECT * FROM {schema}.events WHERE position > $1 ORDER BY position LIMIT $2) AS page
) AS summed
WHERE before < $3 ORDER BY position

-- name: read_leaves
SELECT position, stream_id, version, recorded_at, leaf_hash FROM {schema}.events
WHERE position > $1 ORDER BY position LIMIT $2

-- name: first_in_the_clear
-- Two constraints that were validated speak for every row, and none is read. Before `ledger migrate` has come so far all
-- are; the conditions are those of the constraints.
SELECT CASE WHEN 2 > (
    SELECT count(*) FROM pg_constraint WHERE conrelid = '{schema}.events'::regclass
        AND conname IN ('events_bodies_are_sealed', 'events_bodies_have_the_sealed_form') AND convalidated
) THEN (
    SELECT min(position) FROM {schema}.events
    WHERE substring(
        envelope FROM octet_length(envelope)
            - CASE substring(envelope FROM octet_length(envelope) - 33 FOR 2) WHEN '\x5a20'::bytea THEN 67 ELSE 33 END
        FOR 2
    ) = '\x4a20'::bytea
    OR NOT (envelope = ''::bytea OR (octet_length(body) >= 285 AND substring(body FOR 1) = '\x01'::bytea))
) END

-- name: export_snapshot
SELECT pg_export_snapshot()

-- name: head
SELECT position, leaf_hash FROM {schema}.head

-- name: stream_head
SELECT stream_id, kind, version, leaf_hash, first_position, last_position, recorded_at
FROM {schema}.stream_heads WHERE stream_id = $1

-- name: leaves_of
SELECT stream_id, version, leaf_hash FROM unnest($1::uuid[], $2::bigint[]) AS asked (stream_id, version)
JOIN {schema}.events USING (stream_id, version)

-- name: last_events
SELECT e.position, e.type, e.envelope
FROM (SELECT * FROM {schema}.stream_heads WHERE stream_id > $1 ORDER BY stream_id LIMIT $2) AS h
JOIN {schema}.events AS e ON (e.stream_id, e.version) = (h.stream_id, h.version) ORDER BY h.stream_id

-- name: list_streams
SELECT stream_id, kind, version, leaf_hash, first_position, last_position, recorded_at
FROM {schema}.stream_heads WHERE kind = $1 AND first_position > $2 ORDER BY first_position LIMIT $3

-- name: stream_heads
SELECT stream_id, kind, version, leaf_hash, first_position, last_position, recorded_at
FROM {schema}.stream_heads WHERE stream_id > $1 ORDER BY stream_id LIMIT $2

-- name: streams_among
SELECT stream_id FROM {schema}.stream_heads WHERE stream_id = ANY ($1::uuid[])

-- name: position_of
SELECT position FROM {schema}.events WHERE stream_id = $1 AND version = $2

-- name: stream_at
SELECT stream_id, version FROM {schema}.events WHERE position = $1

-- name: streams_between
SELECT stream_id FROM {schema}.events WHERE position > $1 AND position <= $2 ORDER BY position LIMIT $3

-- name: positions_of
SELECT position, stream_id FROM {schema}.events WHERE position > $1 AND position <= $2 AND type = $3 ORDER BY position

-- name: reservation
SELECT kind, key, value, counter, stream_id, group_key FROM {schema}.reservations WHERE kind = $1 AND key = $2

-- name: reservation_many
SELECT r.kind, r.key, r.value, r.counter, r.stream_id, r.group_key
FROM unnest($1::text[], $2::bytea[]) AS w (kind, key)
JOIN {schema}.reservations AS r ON r.kind = w.kind AND r.key = w.key

-- name: reservations_in_group
SELECT kind, key, value, counter, stream_id, group_key
FROM {schema}.reservations WHERE kind = $1 AND group_key = $2 AND key > $3 ORDER BY key LIMIT $4

-- name: reservation_key
SELECT key FROM {schema}.reservation_key

-- name: upsert_actor
INSERT INTO {schema}.actors AS a (actor_id, name, role, department, licence, source_key)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (actor_id) DO UPDATE
SET name = excluded.name, role = excluded.role, department = excluded.department, licence = excluded.licence,
    source_key = coalesce(excluded.source_key, a.source_key), changed_at = now()
WHERE (a.name, a.role, a.department, a.licence, a.source_key) IS DISTINCT FROM
    (excluded.name, excluded.role, excluded.department, excluded.licence, coalesce(excluded.source_key, a.source_key))
RETURNING a.actor_id

-- name: upsert_sourced_actor
INSERT INTO {schema}.actors AS a (actor_id, name, role, department, licence, source_key)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (source_key) DO UPDATE
SET name = excluded.name, role = excluded.role, department = excluded.department, licence = excluded.licence,
    changed_at = now()
WHERE (a.name, a.role, a.department, a.licence) IS DISTINCT FROM
    (excluded.name, excluded.role, excluded.department, excluded.licence)
RETURNING a.actor_id

-- name: actor
SELECT actor_id, name, role, department, licence, source_key FROM {schema}.actors WHERE actor_id = $1

-- name: actor_of_source
SELECT actor_id FROM {schema}.actors WHERE source_key = $1

-- name: list_hospitals
SELECT id, origin, cluster, partitions, state, schema_version, address, rule_pack, display_name
FROM ledger_control.hospitals ORDER BY id

-- name: hospital
SELECT id, origin, cluster, partitions, state, schema_version, address, rule_pack, display_name
FROM ledger_control.hospitals WHERE id = $1

-- name: durability
SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit')
