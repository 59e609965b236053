-- name: erase
-- The tombstone, the row of the register and its holders, all or none. A key that is gone already brings no row.
WITH gone AS (
    UPDATE ledger_keys.record_keys SET wrapped = NULL, destroyed_by = $3, destroyed_at = $4
    WHERE origin = $1 AND stream_id = $2 AND wrapped IS NOT NULL
    RETURNING generation
), noted AS (
    INSERT INTO ledger_keys.purges (origin, stream_id, position, unreadable_at, generation, statement, salt, holders_known)
    SELECT $1, $2, $3, $4, generation, $5, $6, $7 FROM gone
    ON CONFLICT DO NOTHING
    RETURNING stream_id
), held AS (
    INSERT INTO ledger_keys.purge_holders (origin, stream_id, kind, item, name)
    SELECT $1, $2, h.kind, h.item, h.name
    FROM noted CROSS JOIN unnest($8::text[], $9::text[], $10::text[]) AS h (kind, item, name)
)
SELECT count(*) FROM gone

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
SELECT p.stream_id, p.position, p.unreadable_at, p.generation, p.holders_known,
    coalesce(json_agg(json_build_array(h.kind, h.item, h.name, extract(epoch FROM h.acknowledged_at), h.acknowledged_by)
        ORDER BY h.kind, h.item) FILTER (WHERE h.kind IS NOT NULL), '[]')
FROM (
    SELECT * FROM ledger_keys.purges AS p
    WHERE origin = $1 AND (position, stream_id) > ($2, $5)
        AND (NOT $3::boolean OR EXISTS (
            SELECT FROM ledger_keys.purge_holders AS o
            WHERE (o.origin, o.stream_id) = (p.origin, p.stream_id) AND o.acknowledged_at IS NULL))
    ORDER BY position, stream_id LIMIT $4
) AS p
LEFT JOIN ledger_keys.purge_holders AS h USING (origin, stream_id)
GROUP BY p.stream_id, p.position, p.unreadable_at, p.generation, p.holders_known
ORDER BY p.position, p.stream_id

-- name: acknowledge
-- Again: the first acknowledgement stays. Who asked for a copy need not be known any longer.
UPDATE ledger_keys.purge_holders
SET acknowledged_at = coalesce(acknowledged_at, $5), acknowledged_by = coalesce(acknowledged_by, $6),
    name = CASE kind WHEN 'copy' THEN '' ELSE name END
WHERE origin = $1 AND stream_id = $2 AND kind = $3 AND item = $4
RETURNING kind
