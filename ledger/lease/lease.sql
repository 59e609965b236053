-- name: acquire
-- The row is taken where it is free or its term is over; the epoch grows with every change of holder, so that whoever
-- held it before can be told apart wherever the epoch is compared.
INSERT INTO ledger_control.leases AS l (hospital, role, holder, epoch, expires_at)
VALUES ($1, $2, $3, 1, clock_timestamp() + make_interval(secs => $4))
ON CONFLICT (hospital, role) DO UPDATE
SET holder = excluded.holder, epoch = l.epoch + 1, expires_at = excluded.expires_at
WHERE l.expires_at < clock_timestamp()
RETURNING epoch

-- name: renew
-- Also a term that is over, as long as nobody took the lease: on a busy machine that is a renewal that came late, which
-- is said. What was released is not held again.
UPDATE ledger_control.leases AS l
SET expires_at = clock_timestamp() + make_interval(secs => $5)
FROM (
    SELECT hospital, role, expires_at < clock_timestamp() AS is_over FROM ledger_control.leases
    WHERE hospital = $1 AND role = $2 AND holder = $3 AND epoch = $4 AND expires_at > '-infinity' FOR UPDATE
) AS before
WHERE (l.hospital, l.role) = (before.hospital, before.role)
RETURNING before.is_over

-- name: release
UPDATE ledger_control.leases SET expires_at = '-infinity'
WHERE hospital = $1 AND role = $2 AND holder = $3 AND epoch = $4

-- name: held
SELECT hospital, role, holder, epoch, expires_at FROM ledger_control.leases
WHERE hospital = $1 AND expires_at >= clock_timestamp() ORDER BY role
