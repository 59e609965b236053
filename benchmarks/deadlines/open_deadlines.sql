-- name: empty
TRUNCATE {work}

-- name: fill
-- Those that are due lie among the others, not at one end of the table.
INSERT INTO {work} (record_id, act, rule, subject_id, due_at, act_at)
SELECT gen_random_uuid(), 'deadline', 'admission_record', '', at, at
FROM generate_series(1, $1::integer) AS n,
    LATERAL (
        SELECT CASE WHEN n % ($1 / $2) = 0 THEN $3::timestamptz - make_interval(secs => n % 3600)
            ELSE $3::timestamptz + make_interval(secs => 1 + n) END AS at
    ) AS timed

-- name: settle
VACUUM ANALYZE {work}
