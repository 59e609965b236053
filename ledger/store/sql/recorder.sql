-- name: append_group
SELECT * FROM {schema}.append_group(
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
    $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40
)

-- name: events
SELECT stream_id, version, type, envelope, body FROM {schema}.events
WHERE stream_id = %(stream)s AND (%(gt)s::bigint IS NULL OR version > %(gt)s)
    AND (%(lte)s::bigint IS NULL OR version <= %(lte)s)
ORDER BY version LIMIT %(limit)s

-- name: events_descending
SELECT stream_id, version, type, envelope, body FROM {schema}.events
WHERE stream_id = %(stream)s AND (%(gt)s::bigint IS NULL OR version > %(gt)s)
    AND (%(lte)s::bigint IS NULL OR version <= %(lte)s)
ORDER BY version DESC LIMIT %(limit)s

-- name: notifications
SELECT position, stream_id, version, type, envelope, body FROM {schema}.events
WHERE position >= %(start)s AND (%(stop)s::bigint IS NULL OR position <= %(stop)s)
    AND (%(topics)s::text[] IS NULL OR type = ANY(%(topics)s))
ORDER BY position LIMIT %(limit)s

-- name: head
SELECT position FROM {schema}.head
