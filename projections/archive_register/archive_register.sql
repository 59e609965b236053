-- name: create
CREATE TABLE {records} (
    record_id uuid PRIMARY KEY,
    version bigint NOT NULL,
    registered_position bigint NOT NULL,
    head_leaf bytea NOT NULL,
    case_number text NOT NULL,
    visit_type smallint NOT NULL,
    visit_sequence integer NOT NULL,
    phase smallint NOT NULL,
    permanent boolean NOT NULL,
    ended_at bigint,
    submitted_at bigint,
    archived_at bigint,
    retention_class text NOT NULL,
    retain_until text NOT NULL,
    returns integer NOT NULL,
    score integer NOT NULL,
    grade text NOT NULL,
    holds integer NOT NULL,
    seals integer NOT NULL,
    loans integer NOT NULL,
    papers integer NOT NULL,
    copies integer NOT NULL,
    restrictions integer NOT NULL,
    opinion smallint NOT NULL,
    approved boolean NOT NULL,
    list_id text NOT NULL,
    destroyed_at bigint,
    in_error boolean NOT NULL,
    department text NOT NULL,
    passed boolean NOT NULL,
    sample smallint NOT NULL,
    sampled_at bigint
) WITH (fillfactor = 70);
CREATE INDEX ON {records} (registered_position);
CREATE INDEX ON {records} (phase, registered_position);
CREATE INDEX ON {records} (left(retain_until, 10), registered_position);
CREATE INDEX ON {records} (left(case_number, 64), registered_position);
CREATE INDEX ON {records} (registered_position) WHERE holds > 0;
CREATE INDEX ON {records} (registered_position) WHERE loans > 0;
CREATE INDEX ON {records} (registered_position) WHERE seals > 0;
CREATE INDEX ON {records} (left(department, 64), registered_position);
CREATE INDEX ON {records} (registered_position) WHERE sample > 0;
CREATE TABLE {overlays} (
    record_id uuid NOT NULL,
    kind text NOT NULL,
    item_id uuid NOT NULL,
    version bigint NOT NULL,
    open boolean NOT NULL,
    since bigint NOT NULL,
    detail text NOT NULL,
    mode smallint NOT NULL,
    due_on text NOT NULL,
    PRIMARY KEY (record_id, kind, item_id)
) WITH (fillfactor = 70)

-- name: load_records
SELECT r.record_id, r.version, r.registered_position, r.head_leaf, r.case_number, r.visit_type, r.visit_sequence,
    r.phase, r.permanent, r.ended_at, r.submitted_at, r.archived_at, r.retention_class, r.retain_until, r.returns,
    r.score, r.grade, r.holds, r.seals, r.loans, r.papers, r.copies, r.restrictions, r.opinion, r.approved, r.list_id,
    r.destroyed_at, r.in_error, r.department, r.passed, r.sample, r.sampled_at
FROM unnest($1::uuid[]) AS k (record_id) JOIN {records} AS r USING (record_id)

-- name: store_records
INSERT INTO {records}
SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bytea[], $5::text[], $6::smallint[], $7::integer[],
    $8::smallint[], $9::boolean[], $10::bigint[], $11::bigint[], $12::bigint[], $13::text[], $14::text[],
    $15::integer[], $16::integer[], $17::text[], $18::integer[], $19::integer[], $20::integer[], $21::integer[],
    $22::integer[], $23::integer[], $24::smallint[], $25::boolean[], $26::text[], $27::bigint[],
    $28::boolean[], $29::text[], $30::boolean[], $31::smallint[], $32::bigint[])
ON CONFLICT (record_id) DO UPDATE
SET version = excluded.version, registered_position = excluded.registered_position, head_leaf = excluded.head_leaf,
    case_number = excluded.case_number, visit_type = excluded.visit_type, visit_sequence = excluded.visit_sequence,
    phase = excluded.phase, permanent = excluded.permanent, ended_at = excluded.ended_at, submitted_at =
    excluded.submitted_at, archived_at = excluded.archived_at, retention_class = excluded.retention_class,
    retain_until = excluded.retain_until, returns = excluded.returns, score = excluded.score, grade = excluded.grade, holds = excluded.holds,
    seals = excluded.seals, loans = excluded.loans, papers = excluded.papers, copies = excluded.copies, restrictions =
    excluded.restrictions, opinion = excluded.opinion, approved = excluded.approved, list_id = excluded.list_id,
    destroyed_at = excluded.destroyed_at, in_error = excluded.in_error,
    department = excluded.department, passed = excluded.passed,
    sample = excluded.sample, sampled_at = excluded.sampled_at

-- name: load_overlays
SELECT o.record_id, o.kind, o.item_id, o.version, o.open, o.since, o.detail, o.mode, o.due_on
FROM unnest($1::uuid[], $2::text[], $3::uuid[]) AS k (record_id, kind, item_id)
JOIN {overlays} AS o USING (record_id, kind, item_id)

-- name: store_overlays
INSERT INTO {overlays}
SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::bigint[], $5::boolean[], $6::bigint[], $7::text[],
    $8::smallint[], $9::text[])
ON CONFLICT (record_id, kind, item_id) DO UPDATE
SET version = excluded.version, open = excluded.open, since = excluded.since, detail = excluded.detail, mode =
    excluded.mode, due_on = excluded.due_on

-- name: erase_overlays
DELETE FROM {overlays} WHERE record_id = ANY($1::uuid[])

-- name: order_retain_until
SELECT registered_position FROM {records}
    WHERE ($1::smallint = 0 OR phase = $1) AND (NOT $2::boolean OR holds > 0) AND (NOT $3::boolean OR loans > 0)
        AND ($4::text = '' OR (left(retain_until, 10) > '' AND left(retain_until, 10) < $4))
        AND (NOT $5::boolean OR seals > 0) AND (NOT $6::boolean OR passed)
        AND ($7::text = '' OR (left(department, 64) = left($7, 64) AND department = $7))
        AND ($8::smallint = 0 OR sample = $8)
ORDER BY left(retain_until, 10), registered_position LIMIT $9

-- name: order_case_number
SELECT registered_position FROM {records}
    WHERE ($1::smallint = 0 OR phase = $1) AND (NOT $2::boolean OR holds > 0) AND (NOT $3::boolean OR loans > 0)
        AND ($4::text = '' OR (left(retain_until, 10) > '' AND left(retain_until, 10) < $4))
        AND (NOT $5::boolean OR seals > 0) AND (NOT $6::boolean OR passed)
        AND ($7::text = '' OR (left(department, 64) = left($7, 64) AND department = $7))
        AND ($8::smallint = 0 OR sample = $8)
ORDER BY left(case_number, 64), registered_position LIMIT $9

-- name: listed
-- What has a place comes by it, the rest behind it as it was registered; each half is read by an index of its own.
WITH placed AS (
    SELECT r.*, p.place FROM unnest($9::bigint[]) WITH ORDINALITY AS p (mark, place)
    JOIN {records} AS r ON r.registered_position = p.mark
    WHERE ($1::smallint = 0 OR phase = $1) AND (NOT $2::boolean OR holds > 0) AND (NOT $3::boolean OR loans > 0)
        AND ($4::text = '' OR (left(retain_until, 10) > '' AND left(retain_until, 10) < $4))
        AND (NOT $5::boolean OR seals > 0) AND (NOT $6::boolean OR passed)
        AND ($7::text = '' OR (left(department, 64) = left($7, 64) AND department = $7))
        AND ($8::smallint = 0 OR sample = $8)
        AND p.place > $10::bigint
    ORDER BY p.place LIMIT $12
), behind AS (
    SELECT *, 9223372036854775807 AS place FROM {records}
    WHERE ($1::smallint = 0 OR phase = $1) AND (NOT $2::boolean OR holds > 0) AND (NOT $3::boolean OR loans > 0)
        AND ($4::text = '' OR (left(retain_until, 10) > '' AND left(retain_until, 10) < $4))
        AND (NOT $5::boolean OR seals > 0) AND (NOT $6::boolean OR passed)
        AND ($7::text = '' OR (left(department, 64) = left($7, 64) AND department = $7))
        AND ($8::smallint = 0 OR sample = $8)
        AND registered_position > CASE $10 WHEN 9223372036854775807 THEN $11::bigint ELSE 0 END
        AND NOT registered_position = ANY($9)
    ORDER BY registered_position LIMIT $12
)
SELECT r.record_id, r.version, r.registered_position, r.head_leaf, r.case_number, r.visit_type, r.visit_sequence,
    r.phase, r.ended_at, r.submitted_at, r.archived_at, r.retention_class, r.retain_until, r.returns, r.score,
    r.copies, r.restrictions, r.opinion, r.approved, r.list_id, r.destroyed_at, o.overlays, r.place, r.grade,
    r.department, r.passed, r.sample, r.sampled_at
FROM (
    SELECT * FROM placed UNION ALL SELECT * FROM behind ORDER BY place, registered_position LIMIT $12
) AS r
CROSS JOIN LATERAL (
    SELECT json_agg(json_build_array(kind, item_id, since, detail, mode, due_on) ORDER BY since, item_id) AS overlays
    FROM (
        SELECT *, row_number() OVER (PARTITION BY kind ORDER BY since, item_id) AS place
        FROM {overlays} AS o WHERE o.record_id = r.record_id AND o.open
    ) AS o WHERE place <= 100
) AS o
ORDER BY r.place, r.registered_position
