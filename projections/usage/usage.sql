-- name: create
CREATE TABLE {days} (
    stream_id uuid NOT NULL,
    day text NOT NULL,
    version bigint NOT NULL,
    commands integer NOT NULL,
    events integer NOT NULL,
    bytes_stored bigint NOT NULL,
    last_command text NOT NULL,
    PRIMARY KEY (stream_id, day)
) WITH (fillfactor = 70);
CREATE INDEX ON {days} (day);
CREATE TABLE {shared} (
    stream_id uuid NOT NULL,
    command_id text NOT NULL,
    version bigint NOT NULL,
    day text NOT NULL,
    PRIMARY KEY (stream_id, command_id)
);
CREATE INDEX ON {shared} (day)

-- name: load_days
SELECT d.stream_id, d.day, d.version, d.commands, d.events, d.bytes_stored, d.last_command
FROM unnest($1::uuid[], $2::text[]) AS k (stream_id, day) JOIN {days} AS d USING (stream_id, day)

-- name: store_days
INSERT INTO {days}
SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::integer[], $5::integer[], $6::bigint[], $7::text[])
ON CONFLICT (stream_id, day) DO UPDATE
SET version = excluded.version, commands = excluded.commands, events = excluded.events,
    bytes_stored = excluded.bytes_stored, last_command = excluded.last_command

-- name: load_shared
SELECT s.stream_id, s.command_id, s.version, s.day
FROM unnest($1::uuid[], $2::text[]) AS k (stream_id, command_id) JOIN {shared} AS s USING (stream_id, command_id)

-- name: store_shared
INSERT INTO {shared} SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::text[])
ON CONFLICT (stream_id, command_id) DO UPDATE SET version = excluded.version, day = excluded.day

-- name: usage
SELECT d.day, (sum(d.commands) + s.commands)::bigint, sum(d.events)::bigint, sum(d.bytes_stored)::bigint
FROM {days} AS d
CROSS JOIN LATERAL (SELECT count(DISTINCT command_id) AS commands FROM {shared} AS s WHERE s.day = d.day) AS s
WHERE d.day > $2::text AND d.day >= $3::text AND ($4::text = '' OR d.day <= $4)
GROUP BY d.day, s.commands ORDER BY d.day LIMIT $1
