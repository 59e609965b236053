-- name: create
CREATE TABLE {records} (
    record_id uuid PRIMARY KEY,
    version bigint NOT NULL,
    passed boolean NOT NULL,
    archived_at bigint,
    leaf bytea NOT NULL,
    assessed_at bigint,
    destroyed boolean NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX ON {records} (archived_at) WHERE leaf <> ''

-- name: load_records
SELECT r.record_id, r.version, r.passed, r.archived_at, r.leaf, r.assessed_at, r.destroyed
FROM unnest($1::uuid[]) AS k (record_id) JOIN {records} AS r USING (record_id)

-- name: store_records
INSERT INTO {records}
SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::boolean[], $4::bigint[], $5::bytea[], $6::bigint[], $7::boolean[])
ON CONFLICT (record_id) DO UPDATE
SET version = excluded.version, passed = excluded.passed, archived_at = excluded.archived_at, leaf = excluded.leaf,
    assessed_at = excluded.assessed_at, destroyed = excluded.destroyed

-- name: population
SELECT count(*) FROM (
    SELECT FROM {records} WHERE leaf <> '' AND archived_at >= $1 AND archived_at < $2 LIMIT $3
) AS found

-- name: seed
SELECT sha256(string_agg(uuid_send(record_id) || leaf, ''::bytea ORDER BY record_id))
FROM {records} WHERE leaf <> '' AND archived_at >= $1 AND archived_at < $2

-- name: stopped
-- What was archived before its record was stopped stays drawn; of any other nobody knows whether it is to be drawn.
SELECT l.stream_id, l.position FROM {generations} AS g JOIN {dead_letters} AS l USING (view, generation)
WHERE g.view = $1 AND g.state <> 'building' AND l.resolution = ''
    AND NOT EXISTS (SELECT 1 FROM {records} AS r WHERE r.record_id = l.stream_id AND r.archived_at IS NOT NULL)
ORDER BY l.position LIMIT 1

-- name: drawn
-- Drawn from this view alone; what else is shown of a record is the register's, where that still has it.
SELECT d.record_id, r.case_number, r.department, d.archived_at, d.assessed_at, r.sample,
    d.destroyed OR coalesce(r.phase = $5::smallint, false),
    r.archived_at IS NULL OR EXISTS (
        SELECT 1 FROM {generations} AS g JOIN {dead_letters} AS l USING (view, generation)
        WHERE g.view = ANY ($6::text[]) AND g.state <> 'building' AND l.stream_id = d.record_id AND l.resolution <> 'retried'
    )
FROM (
    SELECT *, sha256($3::bytea || uuid_send(record_id)) AS place FROM {records}
    WHERE leaf <> '' AND archived_at >= $1 AND archived_at < $2
    ORDER BY place, record_id LIMIT $4
) AS d
LEFT JOIN {register} AS r USING (record_id)
ORDER BY d.place, d.record_id
