-- name: origin
SELECT origin FROM ledger_control.hospitals WHERE id = $1

-- name: after
SELECT position, stream_id, version, recorded_at, envelope, body, traceparent FROM {schema}.events
WHERE position > $1 ORDER BY position LIMIT $2

-- name: head
SELECT position FROM {schema}.head

-- name: listen
LISTEN ledger_head

-- name: listen_transfers
LISTEN ledger_transfers

-- name: transfers_after
SELECT sequence, source, position, envelope, body FROM ledger_control.transfer_stream
WHERE recipient = $1 AND sequence > $2 ORDER BY sequence LIMIT $3

-- name: transfers_end
SELECT coalesce(max(sequence), 0) FROM ledger_control.transfer_stream WHERE recipient = $1
