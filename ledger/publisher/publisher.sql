-- name: hospitals
-- A closed hospital's last events are published like all before them.
SELECT id, origin, partitions, schema_version FROM ledger_control.hospitals WHERE state <> 'adding' ORDER BY id

-- name: head
SELECT {id} AS id, position FROM {schema}.head

-- name: after
-- At least one event; more as long as the bodies before them stay below $3 bytes.
SELECT position, stream_id, version, type, recorded_at, envelope, body, traceparent
FROM (
    SELECT page.*, sum(octet_length(body)) OVER (ORDER BY position) - octet_length(body) AS before
    FROM (SELECT * FROM {schema}.events WHERE position > $1 ORDER BY position LIMIT $2) AS page
) AS summed
WHERE before < $3 ORDER BY position

-- name: streams_below
SELECT position, stream_id FROM {schema}.events WHERE position <= $1 ORDER BY position DESC LIMIT $2

-- name: envelopes
SELECT position, envelope FROM {schema}.events WHERE position = ANY($1)

-- name: routed_rows
SELECT position, stream_id, version, type, recorded_at, envelope, body, traceparent FROM {schema}.events
WHERE position > $1 AND position <= $2 AND type = ANY($3) ORDER BY position LIMIT $4

-- name: transfer_topics
SELECT recipient, topic_id, beginning FROM ledger_control.transfer_topics WHERE hospital = $1

-- name: note_transfer_topic
INSERT INTO ledger_control.transfer_topics (hospital, recipient, topic_id, beginning) VALUES ($1, $2, $3, $4)
ON CONFLICT (hospital, recipient) DO UPDATE SET topic_id = excluded.topic_id, beginning = excluded.beginning

-- name: progress
SELECT position FROM ledger_control.transfer_progress WHERE hospital = $1

-- name: all_progress
SELECT hospital, position FROM ledger_control.transfer_progress

-- name: hint_transfers
SELECT pg_notify('ledger_transfers', $1)

-- name: advance
INSERT INTO ledger_control.transfer_progress AS p (hospital, position) VALUES ($1, $2)
ON CONFLICT (hospital) DO UPDATE SET position = greatest(p.position, excluded.position)

-- name: lock_recipient
SELECT pg_advisory_xact_lock(hashtextextended($1, 7237))

-- name: copy_transfer
-- The next number of the recipient's sequence, whose lock is held; a copy that is there already takes none.
INSERT INTO ledger_control.transfer_stream (recipient, sequence, source, position, envelope, body)
SELECT $1, coalesce(max(sequence), 0) + 1, $2, $3, $4, $5 FROM ledger_control.transfer_stream WHERE recipient = $1
ON CONFLICT (recipient, source, position) DO NOTHING
