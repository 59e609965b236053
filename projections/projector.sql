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
    skipped_at timestamptz,
    reason text NOT NULL DEFAULT '',
    PRIMARY KEY (view, generation, position)
);
CREATE TABLE IF NOT EXISTS {parked} (
    view text NOT NULL,
    generation integer NOT NULL,
    position bigint NOT NULL,
    stream_id uuid NOT NULL,
    envelope bytea NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (view, generation, position)
);
CREATE INDEX IF NOT EXISTS parked_by_stream ON {parked} (view, generation, stream_id, position)

-- name: generations
SELECT generation, schema_version, state FROM {generations} WHERE view = $1 ORDER BY generation

-- name: add_generation
INSERT INTO {generations} (view, generation, schema_version, state) VALUES ($1, $2, $3, $4)

-- name: lock_generation
SELECT state FROM {generations} WHERE view = $1 AND generation = $2 FOR UPDATE

-- name: set_state
UPDATE {generations} SET state = $3 WHERE view = $1 AND generation = $2

-- name: add_checkpoints
INSERT INTO {checkpoints} (view, generation, partition, position, next_offset, topic_id, epoch, events, digest)
SELECT $1, $2, p, 0, 0, '', 0, 0, $4 FROM generate_series(0, $3::integer - 1) AS p
ON CONFLICT DO NOTHING

-- name: take_over
UPDATE {checkpoints} SET epoch = $3 WHERE view = $1 AND generation = $2 AND epoch <= $3
RETURNING partition, position, next_offset, topic_id, events, digest

-- name: checkpoints
SELECT partition, position, next_offset, topic_id, events, digest
FROM {checkpoints} WHERE view = $1 AND generation = $2 ORDER BY partition

-- name: handled
SELECT COALESCE(sum(events), 0)::bigint FROM {checkpoints} WHERE view = $1 AND generation = $2

-- name: advance
UPDATE {checkpoints} AS c
SET position = n.position, next_offset = n.next_offset, topic_id = n.topic_id, events = n.events, digest = n.digest
FROM unnest($4::integer[], $5::bigint[], $6::bigint[], $7::bigint[], $8::text[], $9::bigint[], $10::bytea[])
    AS n (partition, old_position, position, next_offset, topic_id, events, digest)
WHERE c.view = $1 AND c.generation = $2 AND c.epoch = $3 AND c.partition = n.partition AND c.position = n.old_position

-- name: stopped_streams
SELECT DISTINCT stream_id FROM {dead_letters} WHERE view = $1 AND generation = $2 AND skipped_at IS NULL

-- name: add_dead_letter
INSERT INTO {dead_letters} (view, generation, position, stream_id, version, type, error, envelope, body)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- name: park
INSERT INTO {parked} (view, generation, position, stream_id, envelope, body) VALUES ($1, $2, $3, $4, $5, $6)

-- name: expose
CREATE OR REPLACE VIEW {exposed} AS SELECT * FROM {table}

-- name: withdraw
DROP VIEW IF EXISTS {exposed}

-- name: hospitals
SELECT id, partitions FROM ledger_control.hospitals WHERE state = 'active' ORDER BY id

-- name: head
SELECT {hospital}::text AS hospital, position FROM {head}

-- name: listen
LISTEN ledger_head
