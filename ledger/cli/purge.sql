-- name: tables
-- Where plaintext of records lies, and where their keys did: old versions of rows are in no table that was rewritten.
SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
WHERE schemaname LIKE 'v\_%' OR (schemaname = 'ledger_keys' AND tablename IN ('record_keys', 'purge_holders'))
ORDER BY 1

-- name: rewrite_statistics
-- The planner's samples hold values of rows.
VACUUM FULL pg_catalog.pg_statistic

-- name: next_wal_file
SELECT pg_switch_wal()

-- name: checkpoint
CHECKPOINT

-- name: bound_waiting
SET lock_timeout = '60s'
