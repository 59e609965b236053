-- name: lock_creation
SELECT pg_advisory_xact_lock(hashtextextended($1, 7237))

-- name: create
CREATE TABLE IF NOT EXISTS {generations} (
    view text NOT NULL,
    generation integer NOT NULL,
    schema_version integer NOT NULL,
    state text NOT NULL CHECK (state IN ('building', 'live', 'stopped')),
    PRIMARY KEY (view, generation)
);
CREATE TABLE IF NOT EXISTS {checkpoints} (
    view text NOT NULL,
    generation integer NOT NULL,
    partition integer NOT NULL,
    position bigint NOT NULL,
    next_offset bigint NOT NULL,
    topic_id text NOT NULL,
    epoch bigint NOT NULL,
    events bigint NOT NULL,
    digest bytea NOT NULL,
    PRIMARY KEY (view, generation, partition)
) WITH (fillfactor = 50);
CREATE TABLE IF NOT EXISTS {dead_letters} (
    view text NOT NULL,
    generation integer NOT NULL,
    position bigint NOT NULL,
    stream_id uuid NOT NULL,
    version bigint NOT NULL,
    type text NOT NULL,
    error text NOT NULL,
    failed_at timestamptz NOT NULL DEFAULT now(),
    envelope bytea NOT NULL,
    body bytea NOT NULL,
    resolved_at timestamptz,
    resolution text NOT NULL DEFAULT '' CHECK (resolution IN ('', 'retried', 'skipped')),
    reason text NOT NULL DEFAULT '',
    PRIMARY KEY (view, generation, position)
);
CREATE TABLE IF NOT EXISTS {parked} (
    view text NOT NULL,
    generation integer NOT NULL,
    position bigint NOT NULL,
    stream_id uuid NOT NULL,
    version bigint NOT NULL,
    envelope bytea NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (view, generation, position)
);
CREATE TABLE IF NOT EXISTS {dead_letter_decisions} (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    view text NOT NULL,
    position bigint NOT NULL,
    stream_id uuid NOT NULL,
    version bigint NOT NULL,
    type text NOT NULL,
    error text NOT NULL,
    failed_at timestamptz NOT NULL,
    decision text NOT NULL CHECK (decision IN ('retried', 'failed again', 'skipped')),
    reason text NOT NULL,
    decided_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE IF NOT EXISTS {faults} (
    view text PRIMARY KEY,
    fault text NOT NULL,
    since timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS parked_by_stream ON {parked} (view, generation, stream_id, position)

-- name: generations
SELECT generation, schema_version, state FROM {generations} WHERE view = $1 ORDER BY generation

-- name: add_generation
INSERT INTO {generations} (view, generation, schema_version, state) VALUES ($1, $2, $3, $4)

-- name: lock_generation
SELECT state FROM {generations} WHERE view = $1 AND generation = $2 FOR UPDATE

-- name: note_fault
INSERT INTO {faults} (view, fault) VALUES ($1, $2)
ON CONFLICT (view) DO UPDATE SET fault = excluded.fault WHERE {faults}.fault <> excluded.fault

-- name: forget_fault
DELETE FROM {faults} WHERE view = $1

-- name: set_state
UPDATE {generations} SET state = $3 WHERE view = $1 AND generation = $2

-- name: add_checkpoints
INSERT INTO {checkpoints} (view, generation, partition, position, next_offset, topic_id, epoch, events, digest)
SELECT $1, $2, p, 0, 0, '', 0, 0, $4 FROM generate_series(0, $3::integer - 1) AS p
ON CONFLICT DO NOTHING

-- name: take_over
UPDATE {checkpoints} SET epoch = $3 WHERE view = $1 AND generation = $2 AND epoch <= $3
RETURNING partition, position, next_offset, topic_id, events, digest

-- name: inherit_epoch
UPDATE {checkpoints} SET epoch = (
    SELECT COALESCE(max(epoch), 0) FROM {checkpoints} WHERE view = $1 AND generation = $2
) WHERE view = $1 AND generation = $3

-- name: checkpoints
SELECT partition, position, next_offset, topic_id, events, digest
FROM {checkpoints} WHERE view = $1 AND generation = $2 ORDER BY partition

-- name: handled
SELECT COALESCE(sum(events), 0)::bigint, count(*) FROM {checkpoints} WHERE view = $1 AND generation = $2

-- name: advance
UPDATE {checkpoints} AS c
SET position = n.position, next_offset = n.next_offset, topic_id = n.topic_id, events = n.events, digest = n.digest
FROM unnest($4::integer[], $5::bigint[], $6::bigint[], $7::bigint[], $8::text[], $9::bigint[], $10::bytea[])
    AS n (partition, old_position, position, next_offset, topic_id, events, digest)
WHERE c.view = $1 AND c.generation = $2 AND c.epoch = $3 AND c.partition = n.partition AND c.position = n.old_position

-- name: stopped_streams
SELECT DISTINCT stream_id FROM {dead_letters} WHERE view = $1 AND generation = $2 AND resolution = ''

-- name: add_dead_letter
INSERT INTO {dead_letters} (view, generation, position, stream_id, version, type, error, envelope, body)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- name: park
INSERT INTO {parked} (view, generation, position, stream_id, version, envelope, body)
VALUES ($1, $2, $3, $4, $5, $6, $7)

-- name: dead_letter
SELECT position, stream_id, version, envelope, body FROM {dead_letters}
WHERE view = $1 AND generation = $2 AND position = $3 AND resolution = ''

-- name: note_decision
INSERT INTO {dead_letter_decisions} (view, position, stream_id, version, type, error, failed_at, decision, reason)
SELECT view, position, stream_id, version, type, error, failed_at, $4, $5
FROM {dead_letters} WHERE view = $1 AND generation = $2 AND position = $3

-- name: note_destroyed
INSERT INTO {dead_letter_decisions} (view, position, stream_id, version, type, error, failed_at, decision, reason)
SELECT view, position, stream_id, version, type, error, failed_at, 'skipped', 'record destroyed'
FROM {dead_letters} WHERE view = $1 AND generation = $2 AND stream_id = ANY($3::uuid[]) AND resolution = ''

-- name: resolve_destroyed
UPDATE {dead_letters}
SET resolved_at = now(), resolution = 'skipped', reason = 'record destroyed', envelope = '', body = ''
WHERE view = $1 AND generation = $2 AND stream_id = ANY($3::uuid[]) AND resolution = ''

-- name: unpark_destroyed
DELETE FROM {parked} WHERE view = $1 AND generation = $2 AND stream_id = ANY($3::uuid[])

-- name: fail_again
UPDATE {dead_letters} SET error = $4, reason = $5, failed_at = now() WHERE view = $1 AND generation = $2 AND position = $3

-- name: resolve
UPDATE {dead_letters}
SET resolution = $4, reason = $5, resolved_at = now(), envelope = ''::bytea, body = ''::bytea
WHERE view = $1 AND generation = $2 AND position = $3

-- name: parked_behind
SELECT position, stream_id, version, envelope, body FROM {parked}
WHERE view = $1 AND generation = $2 AND stream_id = $3 ORDER BY position

-- name: unpark
DELETE FROM {parked} WHERE view = $1 AND generation = $2 AND position = $3

-- name: list_dead_letters
-- The open ones of what readers see and, if asked for, every decision, also on generations that are gone.
SELECT l.* FROM (
    SELECT d.view, d.position, 0::bigint, d.stream_id, d.version, d.type, d.error, d.failed_at,
        (SELECT count(*) FROM {parked} AS p
         WHERE p.view = d.view AND p.generation = d.generation AND p.stream_id = d.stream_id),
        '', '', NULL::timestamptz
    FROM {generations} AS g JOIN {dead_letters} AS d USING (view, generation)
    WHERE g.state <> 'building' AND d.resolution = ''
    UNION ALL
    SELECT view, position, id, stream_id, version, type, error, failed_at, 0, decision, reason, decided_at
    FROM {dead_letter_decisions} WHERE $6::boolean
) AS l (view, position, number, stream_id, version, type, error, failed_at, parked, decision, reason, decided_at)
WHERE ($1 = '' OR l.view = $1) AND (l.view, l.position, l.number) > ($2, $3, $4)
ORDER BY l.view, l.position, l.number LIMIT $5

-- name: statuses
-- A generation that a killed rebuild has left behind is no rebuild: whoever builds holds the lease.
SELECT g.view, COALESCE((SELECT f.fault FROM {faults} AS f WHERE f.view = g.view), g.state),
    EXISTS (SELECT 1 FROM {generations} AS b WHERE b.view = g.view AND b.state = 'building')
        AND EXISTS (SELECT 1 FROM ledger_control.leases AS l
            WHERE l.hospital = $1 AND l.role = 'rebuild:' || g.view AND l.expires_at >= clock_timestamp()),
    COALESCE(min(c.position), 0)::bigint, COALESCE(sum(c.events), 0)::bigint,
    (SELECT count(DISTINCT d.stream_id) FROM {dead_letters} AS d
     WHERE d.view = g.view AND d.generation = g.generation AND d.resolution = ''),
    (SELECT count(*) FROM {dead_letters} AS d
     WHERE d.view = g.view AND d.generation = g.generation AND d.resolution = '')
FROM {generations} AS g JOIN {checkpoints} AS c USING (view, generation)
WHERE g.state <> 'building' GROUP BY g.view, g.generation, g.state ORDER BY g.view

-- name: abandoned
SELECT EXISTS (SELECT 1 FROM {generations} WHERE view = $1 AND state = 'building')
    AND NOT EXISTS (SELECT 1 FROM ledger_control.leases
        WHERE hospital = $2 AND role = $3 AND expires_at >= clock_timestamp() - make_interval(secs => $4))

-- name: being_built
SELECT 1 FROM {generations} AS g WHERE g.view = $1 AND g.generation = $2 AND g.state = 'building'
    AND NOT EXISTS (SELECT 1 FROM {checkpoints} AS c
        WHERE c.view = g.view AND c.generation = g.generation AND c.epoch <> $3)

-- name: lock_all
SELECT generation, state FROM {generations} WHERE view = $1 ORDER BY generation FOR UPDATE

-- name: has_overtaken
-- Partition by partition; where the two were built from streams of other layouts, by the count of all events.
SELECT CASE WHEN (SELECT count(*) FROM {checkpoints} WHERE view = $1 AND generation = $2)
    IN (0, (SELECT count(*) FROM {checkpoints} WHERE view = $1 AND generation = $3))
THEN NOT EXISTS (
    SELECT 1 FROM {checkpoints} AS old JOIN {checkpoints} AS new USING (view, partition)
    WHERE old.view = $1 AND old.generation = $2 AND new.generation = $3 AND new.position < old.position)
ELSE (SELECT sum(events) FROM {checkpoints} WHERE view = $1 AND generation = $3)
    >= (SELECT sum(events) FROM {checkpoints} WHERE view = $1 AND generation = $2)
END

-- name: stand_at_one
-- As has_overtaken, but at the very same place.
SELECT CASE WHEN (SELECT count(*) FROM {checkpoints} WHERE view = $1 AND generation = $2)
    = (SELECT count(*) FROM {checkpoints} WHERE view = $1 AND generation = $3)
THEN NOT EXISTS (
    SELECT 1 FROM {checkpoints} AS old JOIN {checkpoints} AS new USING (view, partition)
    WHERE old.view = $1 AND old.generation = $2 AND new.generation = $3 AND new.position <> old.position)
ELSE (SELECT sum(events) FROM {checkpoints} WHERE view = $1 AND generation = $3)
    = (SELECT sum(events) FROM {checkpoints} WHERE view = $1 AND generation = $2)
END

-- name: forget_dead_letters
DELETE FROM {dead_letters} WHERE view = $1 AND generation = $2

-- name: forget_parked
DELETE FROM {parked} WHERE view = $1 AND generation = $2

-- name: forget_checkpoints
DELETE FROM {checkpoints} WHERE view = $1 AND generation = $2

-- name: forget_generation
DELETE FROM {generations} WHERE view = $1 AND generation = $2

-- name: drop_table
DROP TABLE {table} CASCADE

-- name: tables_of
SELECT tablename::text FROM pg_tables WHERE schemaname = $1 AND starts_with(tablename, $2)

-- name: content
SELECT r::text FROM {table} AS r ORDER BY r::text COLLATE "C"

-- name: rows_only_in
SELECT count(*) FROM (SELECT r::text FROM {table} AS r EXCEPT ALL SELECT r::text FROM {other} AS r) AS beside

-- name: expose
CREATE OR REPLACE VIEW {exposed} AS SELECT * FROM {table}

-- name: withdraw
DROP VIEW IF EXISTS {exposed}

-- name: hospitals
SELECT id, partitions, schema_version FROM ledger_control.hospitals WHERE state <> 'adding' ORDER BY id

-- name: head
SELECT {hospital}::text AS hospital, position FROM {head}

-- name: listen
LISTEN ledger_head
