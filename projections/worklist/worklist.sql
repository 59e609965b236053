-- name: create
CREATE TABLE {records} (
    record_id uuid PRIMARY KEY,
    version bigint NOT NULL,
    case_number text NOT NULL,
    phase smallint NOT NULL,
    permanent boolean NOT NULL,
    department text NOT NULL,
    responsible_id text NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX ON {records} (department) WHERE phase IN (2, 3, 4, 5, 7);
CREATE INDEX ON {records} (responsible_id) WHERE phase IN (2, 3, 4, 5, 7);
CREATE TABLE {items} (
    record_id uuid NOT NULL,
    item text NOT NULL,
    version bigint NOT NULL,
    kind smallint NOT NULL,
    department text NOT NULL,
    person_id text NOT NULL,
    rule text NOT NULL,
    since bigint NOT NULL,
    due_at bigint,
    due_on text NOT NULL,
    subject_id text NOT NULL,
    defects text NOT NULL,
    score integer NOT NULL,
    grade text NOT NULL,
    PRIMARY KEY (record_id, item)
) WITH (fillfactor = 70);
CREATE INDEX ON {items} (department) WHERE kind BETWEEN 1 AND 5 AND department <> '';
CREATE INDEX ON {items} (person_id) WHERE kind BETWEEN 1 AND 5 AND person_id <> '';
CREATE INDEX ON {items} (since, record_id, item) WHERE kind BETWEEN 6 AND 9;
CREATE INDEX ON {items} (left(due_on, 10)) WHERE kind = 100

-- name: load_records
SELECT r.record_id, r.version, r.case_number, r.phase, r.permanent, r.department, r.responsible_id
FROM unnest($1::uuid[]) AS k (record_id) JOIN {records} AS r USING (record_id)

-- name: store_records
INSERT INTO {records}
SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::smallint[], $5::boolean[], $6::text[], $7::text[])
ON CONFLICT (record_id) DO UPDATE
SET version = excluded.version, case_number = excluded.case_number, phase = excluded.phase,
    permanent = excluded.permanent, department = excluded.department, responsible_id = excluded.responsible_id

-- name: load_items
SELECT i.record_id, i.item, i.version, i.kind, i.department, i.person_id, i.rule, i.since, i.due_at, i.due_on,
    i.subject_id, i.defects, i.score, i.grade
FROM unnest($1::uuid[], $2::text[]) AS k (record_id, item) JOIN {items} AS i USING (record_id, item)

-- name: store_items
INSERT INTO {items}
SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::smallint[], $5::text[], $6::text[], $7::text[],
    $8::bigint[], $9::bigint[], $10::text[], $11::text[], $12::text[], $13::integer[], $14::text[])
ON CONFLICT (record_id, item) DO UPDATE
SET version = excluded.version, kind = excluded.kind, department = excluded.department,
    person_id = excluded.person_id, rule = excluded.rule, since = excluded.since, due_at = excluded.due_at,
    due_on = excluded.due_on, subject_id = excluded.subject_id, defects = excluded.defects,
    score = excluded.score, grade = excluded.grade

-- name: erase_items
DELETE FROM {items} WHERE record_id = ANY($1::uuid[])

-- name: department
SELECT i.kind, i.record_id, i.case_number, i.phase, i.of_department, i.responsible_id, i.rule, i.since, i.due_at,
    i.due_on, i.subject_id, i.defects, i.item, i.score, i.grade
FROM (
    SELECT i.*, r.case_number, r.phase, r.department AS of_department,
        coalesce(nullif(i.person_id, ''), r.responsible_id) AS responsible_id
    FROM {records} AS r JOIN {items} AS i USING (record_id)
    WHERE r.department = $2::text AND r.phase IN (2, 3, 4, 5, 7) AND i.department = ''
    UNION ALL
    SELECT i.*, r.case_number, r.phase, i.department, i.person_id
    FROM {items} AS i JOIN {records} AS r USING (record_id)
    WHERE i.department = $2 AND i.department <> '' AND i.kind BETWEEN 1 AND 5 AND r.phase IN (2, 3, 4, 5, 7)
) AS i
WHERE i.kind BETWEEN 1 AND 5 AND ($3::smallint = 0 OR i.kind = $3)
    AND (i.since, i.record_id, i.item) > ($4::bigint, $5::uuid, $6::text)
ORDER BY i.since, i.record_id, i.item LIMIT $1

-- name: person
SELECT i.kind, i.record_id, i.case_number, i.phase, i.of_department, $2::text, i.rule, i.since, i.due_at, i.due_on,
    i.subject_id, i.defects, i.item, i.score, i.grade
FROM (
    SELECT i.*, r.case_number, r.phase, r.department AS of_department
    FROM {records} AS r JOIN {items} AS i USING (record_id)
    WHERE r.responsible_id = $2 AND r.phase IN (2, 3, 4, 5, 7) AND i.person_id = '' AND i.department = ''
    UNION ALL
    SELECT i.*, r.case_number, r.phase, r.department
    FROM {items} AS i JOIN {records} AS r USING (record_id)
    WHERE i.person_id = $2 AND i.person_id <> '' AND i.kind BETWEEN 1 AND 5 AND r.phase IN (2, 3, 4, 5, 7)
) AS i
WHERE i.kind BETWEEN 1 AND 5 AND ($3::smallint = 0 OR i.kind = $3)
    AND (i.since, i.record_id, i.item) > ($4::bigint, $5::uuid, $6::text)
ORDER BY i.since, i.record_id, i.item LIMIT $1

-- name: records_office
SELECT i.kind, i.record_id, r.case_number, r.phase, r.department, i.person_id, i.rule, i.since, i.due_at, i.due_on,
    i.subject_id, i.defects, i.item, i.score, i.grade
FROM (
    SELECT * FROM {items} WHERE kind BETWEEN 6 AND 9
    UNION ALL
    SELECT * FROM {items} WHERE kind = 100 AND $2::text <> '' AND left(due_on, 10) <= $2
) AS i
JOIN {records} AS r USING (record_id)
WHERE ($3::smallint = 0 OR i.kind = $3 OR ($3 = 8 AND i.kind = 100))
    AND (i.since, i.record_id, i.item) > ($4::bigint, $5::uuid, $6::text)
ORDER BY i.since, i.record_id, i.item LIMIT $1
