-- name: known
-- The column is the newest of the clock's table: one of an earlier release is not read before its clock has changed it.
SELECT EXISTS (
    SELECT FROM pg_attribute WHERE attrelid = to_regclass(format('%I.%I', $1::text, $2::text)) AND attname = 'since'
)

-- name: open
(SELECT record_id, rule, subject_id, due_at, since FROM {work}
WHERE act = 'deadline' AND rule <> '' AND since IS NOT NULL)

-- name: none
(SELECT NULL::uuid AS record_id, NULL::text AS rule, NULL::text AS subject_id, NULL::timestamptz AS due_at,
    NULL::timestamptz AS since WHERE false)
