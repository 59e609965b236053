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
