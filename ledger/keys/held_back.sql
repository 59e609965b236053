-- name: held
-- Read for destructions up to where one may stand, under the log of then: nothing is unknown any more.
SELECT h.origin, h.first, h.upto
FROM ledger_keys.held_back AS h LEFT JOIN ledger_keys.erased_up_to AS e USING (origin)
WHERE regexp_replace(h.origin, '/[0-9]+$', '/1') = ANY ($1)
    AND h.released_at IS NULL AND coalesce(e.position, 0) < h.upto

-- name: release
UPDATE ledger_keys.held_back SET released_at = $2, released_by = $3, reason = $4
WHERE regexp_replace(origin, '/[0-9]+$', '/1') = $1 AND released_at IS NULL
RETURNING origin, first, upto

-- name: hold
-- What two persons have released stays so, but where more is unknown than they knew of.
INSERT INTO ledger_keys.held_back AS h (origin, first, upto) VALUES ($1, $2, $3)
ON CONFLICT (origin) DO UPDATE SET first = least(h.first, excluded.first), upto = greatest(h.upto, excluded.upto),
    since = now(), released_at = NULL, released_by = NULL, reason = NULL
WHERE h.first > excluded.first OR h.upto < excluded.upto
