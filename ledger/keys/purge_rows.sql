-- name: standing
-- What is known of streams: key or tombstone, row of the register, holders.
SELECT asked.origin, asked.stream_id,
    k.key_id, k.generation, k.wrapped IS NOT NULL AS alive, k.destroyed_by, k.destroyed_at,
    p.position, p.unreadable_at, p.generation, p.holders_known, p.statement, p.salt, p.proof,
    coalesce((
        SELECT json_agg(json_build_array(h.kind, h.item, h.name,
            (extract(epoch FROM h.acknowledged_at) * 1000000)::bigint, h.acknowledged_by) ORDER BY h.kind, h.item)
        FROM ledger_keys.purge_holders AS h WHERE (h.origin, h.stream_id) = (asked.origin, asked.stream_id)), '[]')
FROM unnest($1::text[], $2::uuid[]) AS asked (origin, stream_id)
LEFT JOIN ledger_keys.record_keys AS k USING (origin, stream_id)
LEFT JOIN ledger_keys.purges AS p USING (origin, stream_id)

-- name: erase
-- The tombstone, the row of the register and its holders, all or none. A key that is gone already, or was wrapped anew
-- since it was looked at, brings no row. A row that is there although the key was is of before the key was put back.
-- What stands of a holder is what the proof is of, so what he is not believed to have said goes.
WITH gone AS (
    UPDATE ledger_keys.record_keys SET wrapped = NULL, destroyed_by = $3, destroyed_at = $4
    WHERE origin = $1 AND stream_id = $2 AND wrapped IS NOT NULL AND generation = $5
    RETURNING stream_id
), noted AS (
    INSERT INTO ledger_keys.purges
        (origin, stream_id, position, unreadable_at, generation, holders_known, statement, salt, proof)
    SELECT $1, stream_id, $3, $4, $6, $7, $8, $9, $10 FROM gone
    ON CONFLICT (origin, stream_id) DO UPDATE SET position = excluded.position,
        unreadable_at = excluded.unreadable_at, generation = excluded.generation,
        holders_known = excluded.holders_known, statement = excluded.statement, salt = excluded.salt,
        proof = excluded.proof
    RETURNING stream_id
), held AS (
    INSERT INTO ledger_keys.purge_holders (origin, stream_id, kind, item, name, acknowledged_at, acknowledged_by)
    SELECT $1, $2, h.kind, h.item, h.name, h.acknowledged_at, h.acknowledged_by
    FROM noted CROSS JOIN unnest($11::text[], $12::text[], $13::text[], $14::timestamptz[], $15::uuid[])
        AS h (kind, item, name, acknowledged_at, acknowledged_by)
    ON CONFLICT (origin, stream_id, kind, item) DO UPDATE SET name = excluded.name,
        acknowledged_at = excluded.acknowledged_at, acknowledged_by = excluded.acknowledged_by
)
SELECT count(*) FROM gone

-- name: take_up
-- For a tombstone whose row of the register is missing or proves nothing, as who has no key file left it. Of its holders
-- too what stands is what the proof is of: an acknowledgement that nothing proved goes.
WITH noted AS (
    INSERT INTO ledger_keys.purges AS p
        (origin, stream_id, position, unreadable_at, generation, holders_known, statement, salt, proof)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    ON CONFLICT (origin, stream_id) DO UPDATE SET unreadable_at = excluded.unreadable_at,
        generation = excluded.generation, holders_known = excluded.holders_known, proof = excluded.proof
    WHERE p.proof = ''
    RETURNING stream_id
), held AS (
    INSERT INTO ledger_keys.purge_holders (origin, stream_id, kind, item, name, acknowledged_at, acknowledged_by)
    SELECT $1, $2, h.kind, h.item, h.name, h.acknowledged_at, h.acknowledged_by
    FROM noted CROSS JOIN unnest($10::text[], $11::text[], $12::text[], $13::timestamptz[], $14::uuid[])
        AS h (kind, item, name, acknowledged_at, acknowledged_by)
    ON CONFLICT (origin, stream_id, kind, item) DO UPDATE SET name = excluded.name,
        acknowledged_at = excluded.acknowledged_at, acknowledged_by = excluded.acknowledged_by
)
SELECT count(*) FROM noted

-- name: unapplied
-- Streams whose destruction is still to be applied: the key lives, or nothing proves its row of the register.
SELECT k.origin, k.stream_id
FROM unnest($1::text[], $2::uuid[]) AS asked (origin, stream_id)
JOIN ledger_keys.record_keys AS k USING (origin, stream_id)
LEFT JOIN ledger_keys.purges AS p USING (origin, stream_id)
WHERE k.wrapped IS NOT NULL OR p.stream_id IS NULL OR p.proof = ''

-- name: unregistered
SELECT k.stream_id, k.destroyed_by
FROM ledger_keys.record_keys AS k LEFT JOIN ledger_keys.purges AS p USING (origin, stream_id)
WHERE k.origin = $1 AND k.wrapped IS NULL AND p.stream_id IS NULL ORDER BY k.stream_id

-- name: statements
SELECT p.origin, p.stream_id, p.position, p.statement, p.salt
FROM unnest($1::text[], $2::uuid[]) AS asked (origin, stream_id)
JOIN ledger_keys.purges AS p USING (origin, stream_id)

-- name: erased_up_to
SELECT position FROM ledger_keys.erased_up_to WHERE origin = $1

-- name: note_erased
-- From where it was read, or beyond: who read from further on must not skip what is to be read again.
INSERT INTO ledger_keys.erased_up_to AS e (origin, position)
SELECT $1::text, $3::bigint
WHERE $2::bigint = 0 OR EXISTS (SELECT FROM ledger_keys.erased_up_to WHERE origin = $1)
ON CONFLICT (origin) DO UPDATE SET position = greatest(e.position, excluded.position) WHERE e.position >= $2
RETURNING origin

-- name: begin_again
UPDATE ledger_keys.erased_up_to SET position = 0 WHERE origin = $1

-- name: list
-- By the stream too: all keys that one LogSucceeded gave up have its position.
SELECT stream_id FROM ledger_keys.purges AS p
WHERE origin = $1 AND (position, stream_id) > ($2, $5)
    AND (NOT $3::boolean OR EXISTS (
        SELECT FROM ledger_keys.purge_holders AS o
        WHERE (o.origin, o.stream_id) = (p.origin, p.stream_id) AND o.acknowledged_at IS NULL))
ORDER BY position, stream_id LIMIT $4

-- name: acknowledge
-- Once. Who asked for a copy need not be known any longer. The proof goes with it, where it was the one that was read.
WITH proven AS (
    UPDATE ledger_keys.purges SET proof = $8 WHERE origin = $1 AND stream_id = $2 AND proof = $7 RETURNING stream_id
)
UPDATE ledger_keys.purge_holders AS h
SET acknowledged_at = $5, acknowledged_by = $6, name = CASE kind WHEN 'copy' THEN '' ELSE name END
FROM proven
WHERE h.origin = $1 AND h.stream_id = $2 AND h.kind = $3 AND h.item = $4 AND h.acknowledged_at IS NULL
RETURNING h.kind

-- name: note_offices
INSERT INTO ledger_keys.archive_offices (origin, name) SELECT $1, unnest($2::text[]) ON CONFLICT DO NOTHING

-- name: offices
SELECT name FROM ledger_keys.archive_offices WHERE origin = $1 ORDER BY name
