-- name: create
CREATE TABLE {records} (
    record_id uuid PRIMARY KEY,
    version bigint NOT NULL,
    registered_position bigint NOT NULL,
    case_number text NOT NULL,
    visit_type smallint NOT NULL,
    visit_sequence integer NOT NULL,
    phase smallint NOT NULL,
    ended_at bigint,
    submitted_at bigint,
    archived_at bigint,
    retention_class text NOT NULL,
    retain_until text NOT NULL,
    head_leaf bytea NOT NULL,
    returns integer NOT NULL,
    score integer NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX ON {records} (registered_position);
CREATE INDEX ON {records} (phase, registered_position)

-- name: load_records
SELECT r.record_id, r.version, r.registered_position, r.case_number, r.visit_type, r.visit_sequence, r.phase,
    r.ended_at, r.submitted_at, r.archived_at, r.retention_class, r.retain_until, r.head_leaf, r.returns, r.score
FROM unnest($1::uuid[]) AS k (record_id) JOIN {records} AS r USING (record_id)

-- name: store_records
INSERT INTO {records}
SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::smallint[], $6::integer[],
    $7::smallint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::text[], $12::text[], $13::bytea[], $14::integer[],
    $15::integer[])
ON CONFLICT (record_id) DO UPDATE
SET version = excluded.version, registered_position = excluded.registered_position,
    case_number = excluded.case_number, visit_type = excluded.visit_type, visit_sequence = excluded.visit_sequence,
    phase = excluded.phase, ended_at = excluded.ended_at, submitted_at = excluded.submitted_at,
    archived_at = excluded.archived_at, retention_class = excluded.retention_class,
    retain_until = excluded.retain_until, head_leaf = excluded.head_leaf, returns = excluded.returns,
    score = excluded.score

-- name: register
SELECT record_id, version, registered_position, case_number, visit_type, visit_sequence, phase, ended_at, submitted_at,
    archived_at, retention_class, retain_until, head_leaf, returns, score
FROM {records} WHERE registered_position > $1 ORDER BY registered_position LIMIT $2

-- name: register_in_phase
SELECT record_id, version, registered_position, case_number, visit_type, visit_sequence, phase, ended_at, submitted_at,
    archived_at, retention_class, retain_until, head_leaf, returns, score
FROM {records} WHERE phase = $3 AND registered_position > $1 ORDER BY registered_position LIMIT $2
