-- name: create
CREATE TABLE {days} (
    stream_id uuid NOT NULL,
    day text NOT NULL,
    version bigint NOT NULL,
    commands integer NOT NULL,
    events integer NOT NULL,
    bytes_stored bigint NOT NULL,
    bytes_published bigint NOT NULL,
    recorded_at bigint NOT NULL,
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
SELECT d.stream_id, d.day, d.version, d.commands, d.events, d.bytes_stored, d.bytes_published, d.recorded_at
FROM unnest($1::uuid[], $2::text[]) AS k (stream_id, day) JOIN {days} AS d USING (stream_id, day)

-- name: store_days
INSERT INTO {days}
SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::integer[], $5::integer[], $6::bigint[], $7::bigint[],
    $8::bigint[])
ON CONFLICT (stream_id, day) DO UPDATE
SET version = excluded.version, commands = excluded.commands, events = excluded.events,
    bytes_stored = excluded.bytes_stored, bytes_published = excluded.bytes_published,
    recorded_at = excluded.recorded_at

-- name: load_shared
SELECT s.stream_id, s.command_id, s.version, s.day
FROM unnest($1::uuid[], $2::text[]) AS k (stream_id, command_id) JOIN {shared} AS s USING (stream_id, command_id)

-- name: store_shared
INSERT INTO {shared} SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::text[])
ON CONFLICT (stream_id, command_id) DO UPDATE SET version = excluded.version, day = excluded.day

-- name: usage
-- Reads are no events: the servers write them down, and they are there on days without events too.
WITH used AS (
    SELECT d.day, (sum(d.commands) + s.commands)::bigint AS commands, sum(d.events)::bigint AS events,
        sum(d.bytes_stored)::bigint AS bytes_stored, sum(d.bytes_published)::bigint AS bytes_published
    FROM {days} AS d
    CROSS JOIN LATERAL (SELECT count(DISTINCT command_id) AS commands FROM {shared} AS s WHERE s.day = d.day) AS s
    WHERE d.day > $2::text AND d.day >= $3::text AND ($4::text = '' OR d.day <= $4)
    GROUP BY d.day, s.commands
), answered AS (
    SELECT day, sum(reads)::bigint AS reads, sum(bytes_read)::bigint AS bytes_read
    FROM ledger_control.read_usage
    WHERE hospital = $5::text AND day > $2 AND day >= $3 AND ($4 = '' OR day <= $4)
    GROUP BY day
)
SELECT day, coalesce(commands, 0), coalesce(events, 0), coalesce(bytes_stored, 0), coalesce(bytes_published, 0),
    coalesce(reads, 0), coalesce(bytes_read, 0)
FROM used FULL JOIN answered USING (day)
ORDER BY day LIMIT $1
