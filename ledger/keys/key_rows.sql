-- name: insert
-- In one order, so that two processes that make keys at once never wait for each other in a circle.
INSERT INTO ledger_keys.record_keys (origin, stream_id, key_id, generation, wrapped)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::bytea[], $4::integer[], $5::bytea[])
    AS made (origin, stream_id, key_id, generation, wrapped)
ORDER BY origin, stream_id
ON CONFLICT DO NOTHING
RETURNING origin, stream_id

-- name: find
SELECT k.origin, k.stream_id, k.key_id, k.generation, k.wrapped, k.destroyed_by, p.position
FROM unnest($1::text[], $2::uuid[]) AS asked (origin, stream_id)
JOIN ledger_keys.record_keys AS k USING (origin, stream_id)
LEFT JOIN ledger_keys.purges AS p USING (origin, stream_id)

-- name: destroy
UPDATE ledger_keys.record_keys SET wrapped = NULL, destroyed_by = $3, destroyed_at = now()
WHERE origin = $1 AND stream_id = $2 AND wrapped IS NOT NULL

-- name: outdated
SELECT origin, stream_id, key_id, generation, wrapped, destroyed_by FROM ledger_keys.record_keys
WHERE (origin, stream_id) > ($1, $2) AND generation < $3 AND wrapped IS NOT NULL
ORDER BY origin, stream_id LIMIT $4

-- name: rewrap
UPDATE ledger_keys.record_keys AS k SET generation = $5, wrapped = fresh.wrapped
FROM unnest($1::text[], $2::uuid[], $3::integer[], $4::bytea[]) AS fresh (origin, stream_id, generation, wrapped)
WHERE k.origin = fresh.origin AND k.stream_id = fresh.stream_id AND k.generation = fresh.generation
    AND k.wrapped IS NOT NULL

-- name: living
-- A key is durable before its record's first event: what was made just now may be of a command that is on its way.
SELECT stream_id FROM ledger_keys.record_keys
WHERE origin = $1 AND stream_id > $2 AND wrapped IS NOT NULL AND made_at < now() - make_interval(secs => $3)
    AND made_at < coalesce($5::timestamptz, 'infinity')
ORDER BY stream_id LIMIT $4

-- name: live_by_generation
SELECT generation, count(*) FROM ledger_keys.record_keys WHERE wrapped IS NOT NULL GROUP BY generation ORDER BY generation

-- name: tombstones_beyond
SELECT stream_id, destroyed_by FROM ledger_keys.record_keys
WHERE origin = $1 AND wrapped IS NULL AND destroyed_by > $2 ORDER BY stream_id
