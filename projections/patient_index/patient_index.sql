-- name: create
CREATE TABLE {patients} (
    patient_id uuid PRIMARY KEY,
    version bigint NOT NULL,
    case_number text NOT NULL
);
CREATE INDEX ON {patients} (case_number);
CREATE TABLE {episodes} (
    record_id uuid PRIMARY KEY,
    version bigint NOT NULL,
    patient_id uuid NOT NULL,
    case_number text NOT NULL,
    visit_type smallint NOT NULL,
    visit_sequence integer NOT NULL,
    phase smallint NOT NULL,
    departments text[] NOT NULL,
    started_at bigint,
    ended_at bigint,
    entries integer NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX ON {episodes} (patient_id);
CREATE INDEX ON {episodes} (case_number)

-- name: load_patients
SELECT p.patient_id, p.version, p.case_number
FROM unnest($1::uuid[]) AS k (patient_id) JOIN {patients} AS p USING (patient_id)

-- name: store_patients
INSERT INTO {patients} SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[])
ON CONFLICT (patient_id) DO UPDATE SET version = excluded.version, case_number = excluded.case_number

-- name: load_episodes
SELECT e.record_id, e.version, e.patient_id, e.case_number, e.visit_type, e.visit_sequence, e.phase,
    array_to_string(e.departments, E'\x1f'), e.started_at, e.ended_at, e.entries
FROM unnest($1::uuid[]) AS k (record_id) JOIN {episodes} AS e USING (record_id)

-- name: store_episodes
INSERT INTO {episodes}
SELECT n.record_id, n.version, n.patient_id, n.case_number, n.visit_type, n.visit_sequence, n.phase,
    string_to_array(n.departments, E'\x1f'), n.started_at, n.ended_at, n.entries
FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::text[], $5::smallint[], $6::integer[], $7::smallint[],
    $8::text[], $9::bigint[], $10::bigint[], $11::integer[])
    AS n (record_id, version, patient_id, case_number, visit_type, visit_sequence, phase, departments, started_at,
        ended_at, entries)
ON CONFLICT (record_id) DO UPDATE
SET version = excluded.version, patient_id = excluded.patient_id, case_number = excluded.case_number,
    visit_type = excluded.visit_type, visit_sequence = excluded.visit_sequence, phase = excluded.phase,
    departments = excluded.departments, started_at = excluded.started_at, ended_at = excluded.ended_at,
    entries = excluded.entries

-- name: by_patient
SELECT record_id, visit_type, visit_sequence, phase, departments, started_at, ended_at, entries, patient_id, case_number
FROM {episodes} WHERE patient_id = $1 ORDER BY started_at NULLS LAST, record_id LIMIT $2

-- name: by_case_number
SELECT record_id, visit_type, visit_sequence, phase, departments, started_at, ended_at, entries, patient_id, case_number
FROM {episodes} WHERE case_number = $1 ORDER BY started_at NULLS LAST, record_id LIMIT $2

-- name: patient
SELECT patient_id, case_number FROM {patients} WHERE patient_id = $1

-- name: patient_of_case_number
SELECT patient_id, case_number FROM {patients} WHERE case_number = $1 ORDER BY patient_id LIMIT 1
