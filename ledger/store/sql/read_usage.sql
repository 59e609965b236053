-- name: keep
INSERT INTO ledger_control.read_usage (hospital, day, run, reads, bytes_read)
SELECT hospital, day, $1::uuid, reads, bytes_read
FROM unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[]) AS n (hospital, day, reads, bytes_read)
ON CONFLICT (hospital, day, run) DO UPDATE SET reads = excluded.reads, bytes_read = excluded.bytes_read
