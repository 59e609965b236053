-- name: create
CREATE TABLE {records} (
    record_id uuid PRIMARY KEY,
    version bigint NOT NULL,
    case_number text NOT NULL,
    visit_type smallint NOT NULL,
    phase smallint NOT NULL,
    permanent boolean NOT NULL,
    identity smallint NOT NULL,
    department text NOT NULL,
    bed text NOT NULL,
    responsible text NOT NULL,
    since bigint,
    open_consultations integer NOT NULL,
    moves integer NOT NULL,
    in_error boolean NOT NULL,
    responsible_id text NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX ON {records} (department, left(bed, 64), record_id) WHERE phase BETWEEN 1 AND 5;
CREATE TABLE {entries} (
    record_id uuid NOT NULL,
    entry_id uuid NOT NULL,
    version bigint NOT NULL,
    first_version bigint NOT NULL,
    title text NOT NULL,
    recorded_at bigint NOT NULL,
    state smallint NOT NULL,
    late boolean NOT NULL,
    historical boolean NOT NULL,
    corrects uuid,
    subject_id uuid,
    PRIMARY KEY (record_id, entry_id)
) WITH (fillfactor = 90);
CREATE TABLE {newborns} (
    record_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    version bigint NOT NULL,
    same_as uuid,
    PRIMARY KEY (record_id, subject_id)
)

-- name: load_records
SELECT r.record_id, r.version, r.case_number, r.visit_type, r.phase, r.permanent, r.identity, r.department, r.bed,
    r.responsible, r.since, r.open_consultations, r.moves, r.in_error, r.responsible_id
FROM unnest($1::uuid[]) AS k (record_id) JOIN {records} AS r USING (record_id)

-- name: store_records
INSERT INTO {records} AS r
SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::smallint[], $5::smallint[], $6::boolean[],
    $7::smallint[], $8::text[], $9::text[], $10::text[], $11::bigint[], $12::integer[], $13::integer[],
    $14::boolean[], $15::text[])
ON CONFLICT (record_id) DO UPDATE
SET version = excluded.version, case_number = excluded.case_number, visit_type = excluded.visit_type,
    phase = excluded.phase, permanent = excluded.permanent, identity = excluded.identity,
    department = excluded.department, bed = excluded.bed, responsible = excluded.responsible, since = excluded.since,
    open_consultations = excluded.open_consultations, in_error = excluded.in_error, moves = excluded.moves,
    responsible_id = excluded.responsible_id

-- name: load_entries
SELECT e.record_id, e.entry_id, e.version, e.first_version, e.title, e.recorded_at, e.state, e.late,
    e.historical, e.corrects, e.subject_id
FROM unnest($1::uuid[], $2::uuid[]) AS k (record_id, entry_id) JOIN {entries} AS e USING (record_id, entry_id)

-- name: store_entries
INSERT INTO {entries} AS e
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::text[], $6::bigint[], $7::smallint[],
    $8::boolean[], $9::boolean[], $10::uuid[], $11::uuid[])
ON CONFLICT (record_id, entry_id) DO UPDATE
SET version = excluded.version, title = excluded.title, recorded_at = excluded.recorded_at,
    state = excluded.state, late = excluded.late, historical = excluded.historical, corrects = excluded.corrects,
    subject_id = excluded.subject_id

-- name: erase_entries
DELETE FROM {entries} WHERE record_id = ANY($1::uuid[])

-- name: load_newborns
SELECT w.record_id, w.subject_id, w.version, w.same_as
FROM unnest($1::uuid[], $2::uuid[]) AS k (record_id, subject_id) JOIN {newborns} AS w USING (record_id, subject_id)

-- name: store_newborns
INSERT INTO {newborns} SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::uuid[])
ON CONFLICT (record_id, subject_id) DO UPDATE SET version = excluded.version, same_as = excluded.same_as

-- name: erase_newborns
DELETE FROM {newborns} WHERE record_id = ANY($1::uuid[])

-- name: department_order
SELECT uuid_hash_extended(record_id, 0) FROM {records} AS r
WHERE department = $1::text AND phase BETWEEN 1 AND 5
    AND ($3::text = '' OR responsible = $3) AND (NOT $4::boolean OR open_consultations > 0)
    AND ($5::text = '' OR responsible_id = $5)
    AND ($2::smallint <> 2 OR EXISTS (
        SELECT FROM {entries} AS n WHERE n.record_id = r.record_id AND n.state <> 5 AND n.subject_id IS NOT NULL
    ))
ORDER BY CASE WHEN $6::boolean THEN '' ELSE left(bed, 64) END, CASE WHEN $6 THEN since ELSE 0 END, record_id
LIMIT $7

-- name: department
SELECT r.record_id, r.version, r.case_number, r.visit_type, r.phase, r.bed, r.responsible, r.since,
    r.open_consultations, r.identity, s.subjects, w.led, r.place, r.responsible_id
FROM (
    SELECT r.*, coalesce(p.place, 9223372036854775807) AS place
    FROM {records} AS r
    LEFT JOIN unnest($6::bigint[]) WITH ORDINALITY AS p (mark, place) ON p.mark = uuid_hash_extended(record_id, 0)
    WHERE department = $1::text AND phase BETWEEN 1 AND 5
        AND ($3::text = '' OR responsible = $3) AND (NOT $4::boolean OR open_consultations > 0)
        AND ($5::text = '' OR responsible_id = $5)
        AND ($2::smallint <> 2 OR EXISTS (
            SELECT FROM {entries} AS n WHERE n.record_id = r.record_id AND n.state <> 5 AND n.subject_id IS NOT NULL
        ))
        AND (coalesce(p.place, 9223372036854775807), record_id) > ($7::bigint, $8::uuid)
    ORDER BY place, record_id LIMIT $9
) AS r
CROSS JOIN LATERAL (
    SELECT coalesce(json_agg(json_build_array(subject_id, first_version, entries, latest_entry, latest_entry_at, drafts,
        to_countersign, late_items, corrected) ORDER BY subject_id NULLS FIRST), '[]') AS subjects
    FROM (
        SELECT e.subject_id, max(first_version) FILTER (WHERE state <> 1) AS first_version,
            count(*) FILTER (WHERE state <> 1) AS entries,
            (array_agg(title ORDER BY first_version DESC) FILTER (WHERE state <> 1))[1] AS latest_entry,
            (array_agg(recorded_at ORDER BY first_version DESC) FILTER (WHERE state <> 1))[1] AS latest_entry_at,
            count(*) FILTER (WHERE state = 1) AS drafts,
            count(*) FILTER (WHERE state = 2 AND NOT historical) AS to_countersign,
            count(*) FILTER (WHERE late) AS late_items, count(l.corrected_id) AS corrected
        FROM {entries} AS e
        LEFT JOIN (
            SELECT DISTINCT l.corrects AS corrected_id FROM {entries} AS l
            WHERE l.record_id = r.record_id AND l.state <> 5 AND l.corrects IS NOT NULL
        ) AS l ON l.corrected_id = e.entry_id
        WHERE e.record_id = r.record_id AND e.state <> 5 AND ($2 = 0 OR (e.subject_id IS NULL) = ($2 = 1))
        GROUP BY e.subject_id
    ) AS e
) AS s
CROSS JOIN LATERAL (
    SELECT json_object_agg(w.subject_id, w.same_as) AS led FROM {newborns} AS w
    WHERE w.record_id = r.record_id AND w.same_as IS NOT NULL
) AS w
ORDER BY r.place, r.record_id

-- name: departments_order
SELECT hashtextextended(department, 0) FROM {records} WHERE phase BETWEEN 1 AND 5
GROUP BY department
ORDER BY CASE $1::smallint WHEN 2 THEN -count(*) FILTER (WHERE phase <= 2)
    WHEN 3 THEN -count(*) FILTER (WHERE phase > 2) ELSE 0 END, department
LIMIT $2

-- name: departments
SELECT department, present, to_complete, place
FROM (
    SELECT counted.*, coalesce(p.place, 9223372036854775807) AS place
    FROM (
        SELECT department, count(*) FILTER (WHERE phase <= 2) AS present,
            count(*) FILTER (WHERE phase > 2) AS to_complete
        FROM {records} WHERE phase BETWEEN 1 AND 5
        GROUP BY department
    ) AS counted
    LEFT JOIN unnest($1::bigint[]) WITH ORDINALITY AS p (mark, place) ON p.mark = hashtextextended(department, 0)
) AS placed
WHERE (place, department) > ($2::bigint, $3::text)
ORDER BY place, department LIMIT $4
