-- name: create
CREATE TABLE {patients} (
    patient_id uuid PRIMARY KEY,
    version bigint NOT NULL,
    case_number text NOT NULL,
    merged_into uuid
);
CREATE INDEX ON {patients} (case_number);
CREATE TABLE {identities} (
    patient_id uuid NOT NULL,
    other_id uuid NOT NULL,
    version bigint NOT NULL,
    linked boolean NOT NULL,
    absorbed boolean NOT NULL,
    PRIMARY KEY (patient_id, other_id)
);
CREATE TABLE {episodes} (
    record_id uuid PRIMARY KEY,
    version bigint NOT NULL,
    patient_id uuid NOT NULL,
    case_number text NOT NULL,
    visit_type smallint NOT NULL,
    visit_sequence integer NOT NULL,
    phase smallint NOT NULL,
    permanent boolean NOT NULL,
    departments text[] NOT NULL,
    started_at bigint,
    ended_at bigint,
    in_error boolean NOT NULL,
    registered_at bigint
) WITH (fillfactor = 70);
CREATE INDEX ON {episodes} (patient_id);
CREATE INDEX ON {episodes} (case_number);
CREATE TABLE {entries} (
    record_id uuid NOT NULL,
    entry_id uuid NOT NULL,
    version bigint NOT NULL,
    retracted boolean NOT NULL,
    codes text NOT NULL,
    corrects uuid,
    PRIMARY KEY (record_id, entry_id)
) WITH (fillfactor = 90);
CREATE TABLE {duplicates} (
    record_id uuid NOT NULL,
    linked_version bigint NOT NULL,
    version bigint NOT NULL,
    entry_id uuid,
    source_system text NOT NULL,
    source_type text NOT NULL,
    source_id text NOT NULL,
    PRIMARY KEY (record_id, linked_version)
);
CREATE TABLE {newborns} (
    record_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    version bigint NOT NULL,
    same_as uuid,
    PRIMARY KEY (record_id, subject_id)
);
CREATE TABLE {linked_newborns} (
    record_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    version bigint NOT NULL,
    patient_id uuid,
    withdrawn boolean NOT NULL,
    PRIMARY KEY (record_id, subject_id)
);
CREATE INDEX ON {linked_newborns} (patient_id);
CREATE TABLE {consultations} (
    record_id uuid NOT NULL,
    consultation_id uuid NOT NULL,
    version bigint NOT NULL,
    requested_version bigint NOT NULL,
    from_department text NOT NULL,
    to_department text NOT NULL,
    urgency smallint NOT NULL,
    requested_at bigint NOT NULL,
    arrived_at bigint,
    answered_at bigint,
    withdrawn_at bigint,
    entry_id uuid,
    PRIMARY KEY (record_id, consultation_id)
);
CREATE TABLE {foreign_results} (
    record_id uuid NOT NULL,
    said_version bigint NOT NULL,
    version bigint NOT NULL,
    result_id text NOT NULL,
    hospital text NOT NULL,
    entry_id uuid,
    repeated boolean NOT NULL,
    PRIMARY KEY (record_id, said_version)
)

-- name: load_patients
SELECT p.patient_id, p.version, p.case_number, p.merged_into
FROM unnest($1::uuid[]) AS k (patient_id) JOIN {patients} AS p USING (patient_id)

-- name: store_patients
INSERT INTO {patients} SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::uuid[])
ON CONFLICT (patient_id) DO UPDATE
SET version = excluded.version, case_number = excluded.case_number, merged_into = excluded.merged_into

-- name: load_identities
SELECT i.patient_id, i.other_id, i.version, i.linked, i.absorbed
FROM unnest($1::uuid[], $2::uuid[]) AS k (patient_id, other_id) JOIN {identities} AS i USING (patient_id, other_id)

-- name: store_identities
INSERT INTO {identities} SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::boolean[], $5::boolean[])
ON CONFLICT (patient_id, other_id) DO UPDATE
SET version = excluded.version, linked = excluded.linked, absorbed = excluded.absorbed

-- name: load_episodes
SELECT e.record_id, e.version, e.patient_id, e.case_number, e.visit_type, e.visit_sequence, e.phase, e.permanent,
    array_to_string(e.departments, E'\x1f'), e.started_at, e.ended_at, e.in_error, e.registered_at
FROM unnest($1::uuid[]) AS k (record_id) JOIN {episodes} AS e USING (record_id)

-- name: store_episodes
INSERT INTO {episodes}
SELECT n.record_id, n.version, n.patient_id, n.case_number, n.visit_type, n.visit_sequence, n.phase, n.permanent,
    string_to_array(n.departments, E'\x1f'), n.started_at, n.ended_at, n.in_error, n.registered_at
FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::text[], $5::smallint[], $6::integer[], $7::smallint[],
    $8::boolean[], $9::text[], $10::bigint[], $11::bigint[], $12::boolean[], $13::bigint[])
    AS n (record_id, version, patient_id, case_number, visit_type, visit_sequence, phase, permanent, departments,
        started_at, ended_at, in_error, registered_at)
ON CONFLICT (record_id) DO UPDATE
SET version = excluded.version, patient_id = excluded.patient_id, case_number = excluded.case_number,
    visit_type = excluded.visit_type, visit_sequence = excluded.visit_sequence, phase = excluded.phase,
    permanent = excluded.permanent, departments = excluded.departments, started_at = excluded.started_at,
    ended_at = excluded.ended_at, in_error = excluded.in_error, registered_at = excluded.registered_at

-- name: load_entries
SELECT e.record_id, e.entry_id, e.version, e.retracted, e.codes, e.corrects
FROM unnest($1::uuid[], $2::uuid[]) AS k (record_id, entry_id) JOIN {entries} AS e USING (record_id, entry_id)

-- name: store_entries
INSERT INTO {entries}
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::boolean[], $5::text[], $6::uuid[])
ON CONFLICT (record_id, entry_id) DO UPDATE
SET version = excluded.version, retracted = excluded.retracted, codes = excluded.codes,
    corrects = excluded.corrects

-- name: erase_entries
DELETE FROM {entries} WHERE record_id = ANY($1::uuid[])

-- name: load_duplicates
SELECT d.record_id, d.linked_version, d.version, d.entry_id, d.source_system, d.source_type, d.source_id
FROM unnest($1::uuid[], $2::bigint[]) AS k (record_id, linked_version)
JOIN {duplicates} AS d USING (record_id, linked_version)

-- name: store_duplicates
INSERT INTO {duplicates}
SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::uuid[], $5::text[], $6::text[], $7::text[])
ON CONFLICT (record_id, linked_version) DO UPDATE
SET version = excluded.version, entry_id = excluded.entry_id, source_system = excluded.source_system,
    source_type = excluded.source_type, source_id = excluded.source_id

-- name: erase_duplicates
DELETE FROM {duplicates} WHERE record_id = ANY($1::uuid[])

-- name: load_newborns
SELECT w.record_id, w.subject_id, w.version, w.same_as
FROM unnest($1::uuid[], $2::uuid[]) AS k (record_id, subject_id) JOIN {newborns} AS w USING (record_id, subject_id)

-- name: store_newborns
INSERT INTO {newborns} SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::uuid[])
ON CONFLICT (record_id, subject_id) DO UPDATE SET version = excluded.version, same_as = excluded.same_as

-- name: erase_newborns
DELETE FROM {newborns} WHERE record_id = ANY($1::uuid[])

-- name: load_linked_newborns
SELECT w.record_id, w.subject_id, w.version, w.patient_id, w.withdrawn
FROM unnest($1::uuid[], $2::uuid[]) AS k (record_id, subject_id)
JOIN {linked_newborns} AS w USING (record_id, subject_id)

-- name: store_linked_newborns
INSERT INTO {linked_newborns} SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::uuid[], $5::boolean[])
ON CONFLICT (record_id, subject_id) DO UPDATE
SET version = excluded.version, patient_id = excluded.patient_id, withdrawn = excluded.withdrawn

-- name: erase_linked_newborns
DELETE FROM {linked_newborns} WHERE record_id = ANY($1::uuid[])

-- name: load_consultations
SELECT c.record_id, c.consultation_id, c.version, c.requested_version, c.from_department, c.to_department, c.urgency,
    c.requested_at, c.arrived_at, c.answered_at, c.withdrawn_at, c.entry_id
FROM unnest($1::uuid[], $2::uuid[]) AS k (record_id, consultation_id)
JOIN {consultations} AS c USING (record_id, consultation_id)

-- name: store_consultations
INSERT INTO {consultations}
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::smallint[],
    $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::uuid[])
ON CONFLICT (record_id, consultation_id) DO UPDATE
SET version = excluded.version, requested_at = excluded.requested_at, arrived_at = excluded.arrived_at,
    answered_at = excluded.answered_at, withdrawn_at = excluded.withdrawn_at, entry_id = excluded.entry_id

-- name: erase_consultations
DELETE FROM {consultations} WHERE record_id = ANY($1::uuid[])

-- name: load_foreign_results
SELECT r.record_id, r.said_version, r.version, r.result_id, r.hospital, r.entry_id, r.repeated
FROM unnest($1::uuid[], $2::bigint[]) AS k (record_id, said_version)
JOIN {foreign_results} AS r USING (record_id, said_version)

-- name: store_foreign_results
INSERT INTO {foreign_results}
SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::uuid[], $7::boolean[])
ON CONFLICT (record_id, said_version) DO UPDATE
SET version = excluded.version, result_id = excluded.result_id, hospital = excluded.hospital,
    entry_id = excluded.entry_id, repeated = excluded.repeated

-- name: erase_foreign_results
DELETE FROM {foreign_results} WHERE record_id = ANY($1::uuid[])

-- name: births_of
SELECT l.record_id, l.subject_id, l.patient_id FROM {linked_newborns} AS l JOIN {episodes} AS e USING (record_id)
WHERE l.patient_id = ANY($1::uuid[]) AND NOT l.withdrawn AND NOT e.in_error
ORDER BY l.record_id, l.subject_id LIMIT $2

-- name: births_page
WITH RECURSIVE merged AS (
    SELECT $1::uuid AS patient_id
    UNION
    SELECT next.patient_id FROM merged AS m CROSS JOIN LATERAL (
        SELECT i.other_id AS patient_id FROM {identities} AS i WHERE i.patient_id = m.patient_id AND i.absorbed
        UNION ALL
        SELECT p.merged_into FROM {patients} AS p WHERE p.patient_id = m.patient_id AND p.merged_into IS NOT NULL
    ) AS next
)
SELECT l.record_id, l.subject_id, l.patient_id
FROM merged AS m JOIN {linked_newborns} AS l USING (patient_id) JOIN {episodes} AS e USING (record_id)
WHERE NOT l.withdrawn AND NOT e.in_error AND (l.record_id, l.subject_id) > ($2::uuid, $3::uuid)
ORDER BY l.record_id, l.subject_id LIMIT $4

-- name: patient_of_case_number
SELECT patient_id FROM (
    (SELECT 1 AS place, patient_id FROM {patients} WHERE case_number = $1 ORDER BY patient_id LIMIT 1)
    UNION ALL
    (SELECT 2, patient_id FROM {episodes} WHERE case_number = $1 ORDER BY patient_id LIMIT 1)
) AS found ORDER BY place LIMIT 1

-- name: identities_of
-- The survivor of what merges join is asked for (in a ring of merges the least id); what merges alone reach is the same
-- person, what needs a link on the way perhaps. UNION keeps each identity once, so a ring ends; the limit cuts off early.
WITH RECURSIVE into_survivor AS (
    SELECT $1::uuid AS patient_id
    UNION
    SELECT p.merged_into FROM into_survivor JOIN {patients} AS p USING (patient_id) WHERE p.merged_into IS NOT NULL
), own AS (
    SELECT patient_id FROM into_survivor LEFT JOIN {patients} AS p USING (patient_id)
    ORDER BY p.merged_into IS NOT NULL, patient_id LIMIT 1
), merged AS (
    SELECT patient_id FROM own
    UNION
    SELECT next.patient_id FROM merged AS m CROSS JOIN LATERAL (
        SELECT i.other_id AS patient_id FROM {identities} AS i WHERE i.patient_id = m.patient_id AND i.absorbed
        UNION ALL
        SELECT p.merged_into FROM {patients} AS p WHERE p.patient_id = m.patient_id AND p.merged_into IS NOT NULL
    ) AS next
), same AS (
    SELECT patient_id FROM merged LIMIT $2
), reached AS (
    SELECT patient_id FROM same
    UNION
    SELECT next.patient_id FROM reached AS r CROSS JOIN LATERAL (
        SELECT i.other_id AS patient_id FROM {identities} AS i
        WHERE i.patient_id = r.patient_id AND (i.linked OR i.absorbed)
        UNION ALL
        SELECT p.merged_into FROM {patients} AS p WHERE p.patient_id = r.patient_id AND p.merged_into IS NOT NULL
    ) AS next
), found AS (
    SELECT patient_id FROM reached LIMIT $2
)
SELECT f.patient_id,
    CASE WHEN f.patient_id = (SELECT patient_id FROM own) THEN 1
        WHEN f.patient_id IN (SELECT patient_id FROM same) THEN 2 ELSE 3 END AS standing,
    -- A record may be seen before its patient.
    coalesce(p.case_number, (
        SELECT e.case_number FROM {episodes} AS e WHERE e.patient_id = f.patient_id
        ORDER BY e.started_at DESC NULLS FIRST, e.record_id DESC LIMIT 1
    ))
FROM found AS f LEFT JOIN {patients} AS p USING (patient_id)
ORDER BY standing, f.patient_id

-- name: identity_page
-- As `identities_of`, without its limits and by id, which never changes as the standing does; or one of them alone.
WITH RECURSIVE into_survivor AS (
    SELECT $1::uuid AS patient_id
    UNION
    SELECT p.merged_into FROM into_survivor JOIN {patients} AS p USING (patient_id) WHERE p.merged_into IS NOT NULL
), own AS (
    SELECT patient_id FROM into_survivor LEFT JOIN {patients} AS p USING (patient_id)
    ORDER BY p.merged_into IS NOT NULL, patient_id LIMIT 1
), merged AS (
    SELECT patient_id FROM own
    UNION
    SELECT next.patient_id FROM merged AS m CROSS JOIN LATERAL (
        SELECT i.other_id AS patient_id FROM {identities} AS i WHERE i.patient_id = m.patient_id AND i.absorbed
        UNION ALL
        SELECT p.merged_into FROM {patients} AS p WHERE p.patient_id = m.patient_id AND p.merged_into IS NOT NULL
    ) AS next
), reached AS (
    SELECT patient_id FROM merged
    UNION
    SELECT next.patient_id FROM reached AS r CROSS JOIN LATERAL (
        SELECT i.other_id AS patient_id FROM {identities} AS i
        WHERE i.patient_id = r.patient_id AND (i.linked OR i.absorbed)
        UNION ALL
        SELECT p.merged_into FROM {patients} AS p WHERE p.patient_id = r.patient_id AND p.merged_into IS NOT NULL
    ) AS next
)
SELECT f.patient_id,
    CASE WHEN f.patient_id = (SELECT patient_id FROM own) THEN 1
        WHEN f.patient_id IN (SELECT patient_id FROM merged) THEN 2 ELSE 3 END AS standing,
    -- A record may be seen before its patient.
    coalesce(p.case_number, (
        SELECT e.case_number FROM {episodes} AS e WHERE e.patient_id = f.patient_id
        ORDER BY e.started_at DESC NULLS FIRST, e.record_id DESC LIMIT 1
    ))
FROM reached AS f LEFT JOIN {patients} AS p USING (patient_id)
WHERE f.patient_id > $2::uuid AND ($4::uuid IS NULL OR f.patient_id = $4)
ORDER BY f.patient_id LIMIT $3

-- name: episodes_order
-- $6 is 1, or -1 for the newest first.
SELECT uuid_hash_extended(record_id, 0) FROM {episodes}
WHERE patient_id = ANY($1::uuid[])
    AND (cardinality($2::smallint[]) = 0 OR visit_type = ANY($2)) AND ($3::smallint = 0 OR phase = $3)
    AND ($4::bigint IS NULL OR (started_at IS NOT NULL AND (ended_at IS NULL OR ended_at >= $4)))
    AND ($5::bigint IS NULL OR started_at < $5)
ORDER BY coalesce(started_at, 9223372036854775807) * $6::bigint, record_id LIMIT $7

-- name: episodes_of
SELECT e.record_id, e.visit_type, e.visit_sequence, e.phase, e.departments, e.started_at, e.ended_at, n.entries,
    e.patient_id, e.case_number, c.codes, d.duplicates, n.corrected, w.led, l.linked, e.place,
    e.registered_at, k.consultations, r.foreign_results
FROM (
    SELECT e.*, coalesce(p.place, 9223372036854775807) AS place FROM {episodes} AS e
    LEFT JOIN unnest($6::bigint[]) WITH ORDINALITY AS p (mark, place) ON p.mark = uuid_hash_extended(record_id, 0)
    WHERE patient_id = ANY($1::uuid[])
        AND (cardinality($2::smallint[]) = 0 OR visit_type = ANY($2)) AND ($3::smallint = 0 OR phase = $3)
        AND ($4::bigint IS NULL OR (started_at IS NOT NULL AND (ended_at IS NULL OR ended_at >= $4)))
        AND ($5::bigint IS NULL OR started_at < $5)
        AND (coalesce(p.place, 9223372036854775807), record_id) > ($7::bigint, $8::uuid)
    ORDER BY place, record_id LIMIT $9
) AS e
CROSS JOIN LATERAL (
    SELECT count(*) AS entries, count(l.corrected_id) AS corrected
    FROM {entries} AS n
    LEFT JOIN (
        SELECT DISTINCT l.corrects AS corrected_id FROM {entries} AS l
        WHERE l.record_id = e.record_id AND NOT l.retracted AND l.corrects IS NOT NULL
    ) AS l ON l.corrected_id = n.entry_id
    WHERE n.record_id = e.record_id AND NOT n.retracted
) AS n
CROSS JOIN LATERAL (
    SELECT json_agg(json_build_array(system, code, display, code_version, entries, corrected, subject)) AS codes
    FROM (
        SELECT code ->> 0 AS system, code ->> 1 AS code, min(code ->> 2) AS display, min(code ->> 3) AS code_version,
            count(*) AS entries, count(l.corrected_id) AS corrected, code ->> 4 AS subject
        FROM {entries} AS n
        CROSS JOIN json_array_elements(n.codes::json) AS code
        LEFT JOIN (
            SELECT DISTINCT l.corrects AS corrected_id FROM {entries} AS l
            WHERE l.record_id = e.record_id AND NOT l.retracted AND l.corrects IS NOT NULL
        ) AS l ON l.corrected_id = n.entry_id
        WHERE n.record_id = e.record_id AND NOT n.retracted
        GROUP BY 1, 2, subject ORDER BY subject, 1, 2 LIMIT $10
    ) AS c
) AS c
CROSS JOIN LATERAL (
    SELECT json_agg(json_build_array(entry_id, source_system, source_type, source_id)) AS duplicates
    FROM (SELECT * FROM {duplicates} AS d WHERE d.record_id = e.record_id ORDER BY linked_version LIMIT $10) AS d
) AS d
CROSS JOIN LATERAL (
    SELECT json_object_agg(w.subject_id, w.same_as) AS led FROM {newborns} AS w
    WHERE w.record_id = e.record_id AND w.same_as IS NOT NULL
) AS w
CROSS JOIN LATERAL (
    SELECT json_agg(json_build_array(l.subject_id, l.patient_id) ORDER BY l.subject_id) AS linked
    FROM {linked_newborns} AS l
    WHERE l.record_id = e.record_id AND l.patient_id IS NOT NULL AND NOT l.withdrawn AND NOT e.in_error
) AS l
CROSS JOIN LATERAL (
    SELECT json_agg(json_build_array(consultation_id, from_department, to_department, urgency, requested_at, arrived_at,
        answered_at, withdrawn_at, entry_id)) AS consultations
    FROM (
        SELECT * FROM {consultations} AS k WHERE k.record_id = e.record_id ORDER BY requested_version LIMIT $10
    ) AS k
) AS k
CROSS JOIN LATERAL (
    SELECT json_agg(json_build_array(result_id, hospital, entry_id, repeated)) AS foreign_results
    FROM (SELECT * FROM {foreign_results} AS r WHERE r.record_id = e.record_id ORDER BY said_version LIMIT $10) AS r
) AS r
ORDER BY e.place, e.record_id
