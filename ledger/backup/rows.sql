-- name: become_owner
SET LOCAL ROLE ledger_owner

-- name: be_owner
SET ROLE ledger_owner

-- name: export_snapshot
SELECT pg_export_snapshot()

-- name: set_snapshot
SET TRANSACTION SNAPSHOT {snapshot}

-- name: registry
SELECT id, origin, schema_version FROM ledger_control.hospitals WHERE state <> 'adding' ORDER BY id

-- name: control_version
SELECT version FROM ledger_control.schema_version

-- name: columns
-- Every table of a schema with every column, so that a table or column of a later release is in its backups too.
SELECT c.relname, array_agg(a.attname::text ORDER BY a.attnum)
FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
WHERE c.relnamespace = {schema}::regnamespace AND c.relkind = 'r'
    AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
GROUP BY c.relname ORDER BY c.relname

-- name: head
SELECT position, leaf_hash FROM {schema}.head

-- name: last_envelope
SELECT envelope FROM {schema}.events ORDER BY position DESC LIMIT 1

-- name: leaf_at
SELECT leaf_hash FROM {schema}.events WHERE position = %s

-- name: copy_out
COPY (SELECT {columns} FROM {table} ORDER BY 1) TO STDOUT (FORMAT binary)

-- name: copy_out_registry
COPY (SELECT {columns} FROM {table} WHERE id = ANY ({hospitals})) TO STDOUT (FORMAT binary)

-- name: copy_out_by_hospital
COPY (SELECT {columns} FROM {table} WHERE hospital = ANY ({hospitals})) TO STDOUT (FORMAT binary)

-- name: copy_out_transfers
-- What a hospital was sent, and what it sent.
COPY (
    SELECT {columns} FROM {table}
    WHERE recipient = ANY ({hospitals}) OR regexp_replace(source, '/[0-9]+$', '') = ANY ({prefixes})
) TO STDOUT (FORMAT binary)

-- name: copy_out_keys
-- Under every origin that the hospital ever had.
COPY (SELECT {columns} FROM {table} WHERE regexp_replace(origin, '/[0-9]+$', '') = ANY ({prefixes}))
TO STDOUT (FORMAT binary)

-- name: copy_in
COPY {table} ({columns}) FROM STDIN (FORMAT binary)

-- name: empty
-- What a new schema has a first row of.
DELETE FROM {table}

-- name: has_registry
SELECT to_regclass('ledger_control.hospitals') IS NOT NULL AND to_regclass('ledger_keys.record_keys') IS NOT NULL

-- name: has_hospitals
SELECT id FROM ledger_control.hospitals ORDER BY id

-- name: has_keys
SELECT DISTINCT origin FROM ledger_keys.record_keys ORDER BY origin

-- name: close
-- Without its keys a ledger can be read and checked; a command would be sealed under keys that nobody keeps.
UPDATE ledger_control.hospitals SET state = 'closed'

-- name: erase_again
-- What these keys were compared with may be newer than the events beside them: every destruction is applied again.
UPDATE ledger_keys.erased_up_to SET position = 0

-- name: destroy_key
-- As the erasure does, but nothing can be opened here: the statement is not kept, and who else holds the record is not known.
WITH given AS (SELECT $1::text AS origin, $2::uuid AS stream_id, $3::bigint AS position), gone AS (
    UPDATE ledger_keys.record_keys AS k SET wrapped = NULL, destroyed_by = given.position, destroyed_at = now()
    FROM given WHERE (k.origin, k.stream_id) = (given.origin, given.stream_id) AND k.wrapped IS NOT NULL
    RETURNING k.origin, k.stream_id, k.generation, given.position
)
INSERT INTO ledger_keys.purges (origin, stream_id, position, unreadable_at, generation, statement, salt, holders_known)
SELECT origin, stream_id, position, now(), generation, '', '', false FROM gone
ON CONFLICT DO NOTHING

-- name: hold_back
-- What was held back before, and is in the same backup of keys, stays so.
INSERT INTO ledger_keys.held_back AS h (origin, first, upto) VALUES ($1, $2, $3)
ON CONFLICT (origin) DO UPDATE SET first = least(h.first, excluded.first), upto = greatest(h.upto, excluded.upto),
    since = now(), released_at = NULL, released_by = NULL, reason = NULL

-- name: keyless_lists
-- What a succession upholds of destructions, where the key that opens it did not come back: the keys are older.
SELECT e.position FROM {schema}.stream_heads AS s JOIN {schema}.events AS e USING (stream_id)
WHERE s.kind = {kind} AND e.type = {type}
    AND NOT EXISTS (SELECT FROM ledger_keys.record_keys AS k WHERE k.stream_id = s.stream_id)
ORDER BY e.position
