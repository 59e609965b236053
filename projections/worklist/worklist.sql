-- name: create
CREATE TABLE {records} (
    record_id uuid PRIMARY KEY,
    version bigint NOT NULL,
    case_number text NOT NULL,
    phase smallint NOT NULL,
    permanent boolean NOT NULL,
    department text NOT NULL,
    responsible_id text NOT NULL,
    in_error boolean NOT NULL
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
    delivered boolean NOT NULL,
    PRIMARY KEY (record_id, item)
) WITH (fillfactor = 70);
CREATE INDEX ON {items} (department) WHERE kind BETWEEN 1 AND 5 AND department <> '';
CREATE INDEX ON {items} (person_id) WHERE kind BETWEEN 1 AND 5 AND person_id <> '';
CREATE INDEX ON {items} (since, record_id, item) WHERE (kind BETWEEN 6 AND 9 OR kind IN (11, 12));
CREATE INDEX ON {items} (record_id) WHERE kind = 12;
CREATE INDEX ON {items} (left(due_on, 10)) WHERE kind = 100

-- name: load_records
SELECT r.record_id, r.version, r.case_number, r.phase, r.permanent, r.department, r.responsible_id, r.in_error
FROM unnest($1::uuid[]) AS k (record_id) JOIN {records} AS r USING (record_id)

-- name: store_records
INSERT INTO {records}
SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::smallint[], $5::boolean[], $6::text[], $7::text[],
    $8::boolean[])
ON CONFLICT (record_id) DO UPDATE
SET version = excluded.version, case_number = excluded.case_number, phase = excluded.phase,
    permanent = excluded.permanent, department = excluded.department, responsible_id = excluded.responsible_id,
    in_error = excluded.in_error

-- name: load_items
SELECT i.record_id, i.item, i.version, i.kind, i.department, i.person_id, i.rule, i.since, i.due_at, i.due_on,
    i.subject_id, i.defects, i.score, i.grade, i.delivered
FROM unnest($1::uuid[], $2::text[]) AS k (record_id, item) JOIN {items} AS i USING (record_id, item)

-- name: store_items
INSERT INTO {items}
SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::smallint[], $5::text[], $6::text[], $7::text[],
    $8::bigint[], $9::bigint[], $10::text[], $11::text[], $12::text[], $13::integer[], $14::text[],
    $15::boolean[])
ON CONFLICT (record_id, item) DO UPDATE
SET version = excluded.version, kind = excluded.kind, department = excluded.department,
    person_id = excluded.person_id, rule = excluded.rule, since = excluded.since, due_at = excluded.due_at,
    due_on = excluded.due_on, subject_id = excluded.subject_id, defects = excluded.defects,
    score = excluded.score, grade = excluded.grade, delivered = excluded.delivered

-- name: erase_items
DELETE FROM {items} WHERE record_id = ANY($1::uuid[])

-- name: department
-- What runs is in the deadline clock's table; where its miss is reported here already, the item of that stands alone.
-- What it is sorted by is empty where those of every case are listed together by how long they wait; by what is due it is
-- the last moment as text, a last day behind its moments. Once the places are pinned ($8 is -1) neither counts.
WITH waiting AS (
    SELECT i.kind, i.record_id, i.item, r.case_number, r.phase, r.department,
        coalesce(nullif(i.person_id, ''), r.responsible_id) AS person_id, i.rule, i.since, i.due_at, i.due_on,
        i.subject_id, i.defects, i.score, i.grade, r.responsible_id AS in_charge
    FROM {records} AS r JOIN {items} AS i USING (record_id)
    WHERE r.department = $2::text AND r.phase IN (2, 3, 4, 5, 7) AND i.department = '' AND i.kind BETWEEN 1 AND 5
    UNION ALL
    SELECT i.kind, i.record_id, i.item, r.case_number, r.phase, i.department, i.person_id, i.rule, i.since, i.due_at,
        i.due_on, i.subject_id, i.defects, i.score, i.grade, r.responsible_id
    FROM {items} AS i JOIN {records} AS r USING (record_id)
    WHERE i.department = $2 AND i.department <> '' AND i.kind BETWEEN 1 AND 5 AND r.phase IN (2, 3, 4, 5, 7)
    UNION ALL
    SELECT i.kind, i.record_id, i.item, r.case_number, r.phase, r.department, r.responsible_id, i.rule, i.since,
        i.due_at, i.due_on, i.subject_id, i.defects, i.score, i.grade, r.responsible_id
    FROM {items} AS i JOIN {records} AS r USING (record_id)
    WHERE i.kind = 12 AND i.rule = 'SAMPLE_NOT_PASSED' AND r.department = $2
    UNION ALL
    SELECT 10, d.record_id, 'due:' || d.name, d.case_number, d.phase, d.department, d.responsible_id, d.rule, d.since,
        d.due_at, '', d.subject_id, '[]', 0, '', d.responsible_id
    FROM (
        SELECT d.record_id, d.rule, d.subject_id, r.case_number, r.phase, r.department, r.responsible_id,
            (extract(epoch FROM d.since) * 1000000)::bigint AS since,
            (extract(epoch FROM d.due_at) * 1000000)::bigint AS due_at,
            concat_ws('|', d.rule, d.subject_id, (extract(epoch FROM d.due_at) * 1000000)::bigint) AS name
        FROM {records} AS r JOIN {deadlines} AS d USING (record_id)
        WHERE r.department = $2 AND r.phase IN (2, 3, 4, 5, 7)
            AND NOT EXISTS (
                SELECT FROM {items} AS c WHERE c.record_id = d.record_id
                AND c.item = 'consultation:' || d.subject_id AND c.department <> ''
            )
    ) AS d
    WHERE NOT EXISTS (
        SELECT FROM {items} AS m WHERE m.record_id = d.record_id AND m.item = 'missed:' || d.name AND m.kind = 1
    )
    UNION ALL
    SELECT 10, d.record_id, 'due:' || d.name, d.case_number, d.phase, d.department, '', d.rule, d.since, d.due_at, '',
        d.subject_id, '[]', 0, '', d.responsible_id
    FROM (
        SELECT d.record_id, d.rule, d.subject_id, r.case_number, r.phase, c.department, r.responsible_id,
            (extract(epoch FROM d.since) * 1000000)::bigint AS since,
            (extract(epoch FROM d.due_at) * 1000000)::bigint AS due_at,
            concat_ws('|', d.rule, d.subject_id, (extract(epoch FROM d.due_at) * 1000000)::bigint) AS name
        FROM {items} AS c JOIN {records} AS r USING (record_id) JOIN {deadlines} AS d USING (record_id)
        WHERE c.department = $2 AND c.department <> '' AND c.kind = 5
            AND c.item = 'consultation:' || d.subject_id AND r.phase IN (2, 3, 4, 5, 7)
    ) AS d
    WHERE NOT EXISTS (
        SELECT FROM {items} AS m WHERE m.record_id = d.record_id AND m.item = 'missed:' || d.name AND m.kind = 1
    )
), placed AS (
    SELECT *, CASE WHEN $8::smallint = 4 THEN left(case_number, 64)
        WHEN $8 <> 2 THEN ''
        WHEN due_at IS NOT NULL
            THEN to_char(to_timestamp(greatest(due_at, 0) / 1e6) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US')
        WHEN due_on <> '' THEN left(due_on, 10) || 'T~'
        ELSE '~' END COLLATE "C" AS sorted_by, CASE $8 WHEN -1 THEN 0 WHEN 3 THEN -since ELSE since END AS turn,
        hashtextextended(record_id::text || item, 0) AS mark
    FROM waiting
)
SELECT kind, record_id, case_number, phase, department, person_id, rule, since, due_at, due_on, subject_id, defects,
    item, coalesce(p.place, 9223372036854775807), score, grade, mark
FROM placed LEFT JOIN unnest($4::bigint[]) WITH ORDINALITY AS p (mark, place) USING (mark)
WHERE ($3::smallint = 0 OR kind = $3)
    AND ($9::text = '' OR in_charge = $9)
    AND (coalesce(p.place, 9223372036854775807), record_id, item) > ($5::bigint, $6::uuid, $7::text)
ORDER BY coalesce(p.place, 9223372036854775807), sorted_by, turn, record_id, item LIMIT $1

-- name: person
WITH waiting AS (
    SELECT i.kind, i.record_id, i.item, r.case_number, r.phase, r.department, $2::text AS person_id, i.rule, i.since,
        i.due_at, i.due_on, i.subject_id, i.defects, i.score, i.grade, r.responsible_id AS in_charge
    FROM {records} AS r JOIN {items} AS i USING (record_id)
    WHERE r.responsible_id = $2 AND r.phase IN (2, 3, 4, 5, 7) AND i.person_id = '' AND i.department = ''
        AND i.kind BETWEEN 1 AND 5
    UNION ALL
    SELECT i.kind, i.record_id, i.item, r.case_number, r.phase, r.department, $2, i.rule, i.since, i.due_at, i.due_on,
        i.subject_id, i.defects, i.score, i.grade, r.responsible_id
    FROM {items} AS i JOIN {records} AS r USING (record_id)
    WHERE i.person_id = $2 AND i.person_id <> '' AND i.kind BETWEEN 1 AND 5 AND r.phase IN (2, 3, 4, 5, 7)
    UNION ALL
    SELECT i.kind, i.record_id, i.item, r.case_number, r.phase, r.department, $2, i.rule, i.since, i.due_at, i.due_on,
        i.subject_id, i.defects, i.score, i.grade, r.responsible_id
    FROM {items} AS i JOIN {records} AS r USING (record_id)
    WHERE i.kind = 12 AND i.rule = 'SAMPLE_NOT_PASSED' AND r.responsible_id = $2 AND $2 <> ''
    UNION ALL
    SELECT 10, d.record_id, 'due:' || d.name, d.case_number, d.phase, d.department, $2, d.rule, d.since, d.due_at, '',
        d.subject_id, '[]', 0, '', d.responsible_id
    FROM (
        SELECT d.record_id, d.rule, d.subject_id, r.case_number, r.phase, r.department, r.responsible_id,
            (extract(epoch FROM d.since) * 1000000)::bigint AS since,
            (extract(epoch FROM d.due_at) * 1000000)::bigint AS due_at,
            concat_ws('|', d.rule, d.subject_id, (extract(epoch FROM d.due_at) * 1000000)::bigint) AS name
        FROM {records} AS r JOIN {deadlines} AS d USING (record_id)
        WHERE r.responsible_id = $2 AND $2 <> '' AND r.phase IN (2, 3, 4, 5, 7)
            AND NOT EXISTS (
                SELECT FROM {items} AS c WHERE c.record_id = d.record_id
                AND c.item = 'consultation:' || d.subject_id AND c.department <> ''
            )
    ) AS d
    WHERE NOT EXISTS (
        SELECT FROM {items} AS m WHERE m.record_id = d.record_id AND m.item = 'missed:' || d.name AND m.kind = 1
    )
), placed AS (
    SELECT *, CASE WHEN $8::smallint = 4 THEN left(case_number, 64)
        WHEN $8 <> 2 THEN ''
        WHEN due_at IS NOT NULL
            THEN to_char(to_timestamp(greatest(due_at, 0) / 1e6) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US')
        WHEN due_on <> '' THEN left(due_on, 10) || 'T~'
        ELSE '~' END COLLATE "C" AS sorted_by, CASE $8 WHEN -1 THEN 0 WHEN 3 THEN -since ELSE since END AS turn,
        hashtextextended(record_id::text || item, 0) AS mark
    FROM waiting
)
SELECT kind, record_id, case_number, phase, department, person_id, rule, since, due_at, due_on, subject_id, defects,
    item, coalesce(p.place, 9223372036854775807), score, grade, mark
FROM placed LEFT JOIN unnest($4::bigint[]) WITH ORDINALITY AS p (mark, place) USING (mark)
WHERE ($3::smallint = 0 OR kind = $3)
    AND ($9::text = '' OR in_charge = $9)
    AND (coalesce(p.place, 9223372036854775807), record_id, item) > ($5::bigint, $6::uuid, $7::text)
ORDER BY coalesce(p.place, 9223372036854775807), sorted_by, turn, record_id, item LIMIT $1

-- name: records_office
WITH waiting AS (
    SELECT i.kind, i.record_id, i.item, r.case_number, r.phase, r.department, i.person_id, i.rule, i.since, i.due_at,
        i.due_on, i.subject_id, i.defects, i.score, i.grade, r.responsible_id AS in_charge
    FROM (
        SELECT * FROM {items} WHERE (kind BETWEEN 6 AND 9 OR kind IN (11, 12))
        UNION ALL
        SELECT * FROM {items} WHERE kind = 100 AND $2::text <> '' AND left(due_on, 10) <= $2
    ) AS i
    JOIN {records} AS r USING (record_id)
), placed AS (
    SELECT *, CASE WHEN $8::smallint = 4 THEN left(case_number, 64)
        WHEN $8 <> 2 THEN ''
        WHEN due_at IS NOT NULL
            THEN to_char(to_timestamp(greatest(due_at, 0) / 1e6) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US')
        WHEN due_on <> '' THEN left(due_on, 10) || 'T~'
        ELSE '~' END COLLATE "C" AS sorted_by, CASE $8 WHEN -1 THEN 0 WHEN 3 THEN -since ELSE since END AS turn,
        hashtextextended(record_id::text || item, 0) AS mark
    FROM waiting
)
SELECT kind, record_id, case_number, phase, department, person_id, rule, since, due_at, due_on, subject_id, defects,
    item, coalesce(p.place, 9223372036854775807), score, grade, mark
FROM placed LEFT JOIN unnest($4::bigint[]) WITH ORDINALITY AS p (mark, place) USING (mark)
WHERE ($3::smallint = 0 OR kind = $3 OR ($3 = 8 AND kind = 100))
    AND ($9::text = '' OR in_charge = $9)
    AND (coalesce(p.place, 9223372036854775807), record_id, item) > ($5::bigint, $6::uuid, $7::text)
ORDER BY coalesce(p.place, 9223372036854775807), sorted_by, turn, record_id, item LIMIT $1
