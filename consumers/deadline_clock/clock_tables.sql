-- name: lock_creation
SELECT pg_advisory_xact_lock(hashtextextended($1, 7239))

-- name: create
CREATE TABLE IF NOT EXISTS {work} (
    record_id uuid NOT NULL,
    act text NOT NULL,
    rule text NOT NULL,
    subject_id text NOT NULL,
    due_at timestamptz NOT NULL,
    act_at timestamptz NOT NULL,
    since timestamptz,
    PRIMARY KEY (record_id, act, rule, subject_id, due_at)
);
-- What an earlier release kept without its beginning is looked at again at once.
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = '{work}'::regclass AND attname = 'since') THEN
        ALTER TABLE {work} ADD COLUMN since timestamptz, DROP CONSTRAINT IF EXISTS {first_acts};
        UPDATE {work} SET act_at = 'epoch' WHERE act = 'deadline';
    END IF;
END $$;
-- What is due is found from here, and costs by what is due: what is open lies behind it and is never touched.
CREATE INDEX IF NOT EXISTS {work_by_time} ON {work} (act_at);
CREATE TABLE IF NOT EXISTS {checkpoints} (
    partition integer PRIMARY KEY,
    topic_id text NOT NULL,
    next_offset bigint NOT NULL,
    position bigint NOT NULL
);
CREATE TABLE IF NOT EXISTS {holder} (
    sole boolean PRIMARY KEY DEFAULT true CHECK (sole),
    epoch bigint NOT NULL
);
INSERT INTO {holder} (epoch) VALUES (0) ON CONFLICT DO NOTHING

-- name: fence
UPDATE {holder} SET epoch = $1 WHERE epoch <= $1

-- name: places
SELECT partition, topic_id, next_offset, position FROM {checkpoints}

-- name: advance
INSERT INTO {checkpoints} (partition, topic_id, next_offset, position)
SELECT * FROM unnest($1::integer[], $2::text[], $3::bigint[], $4::bigint[])
ON CONFLICT (partition) DO UPDATE
SET topic_id = excluded.topic_id, next_offset = excluded.next_offset, position = excluded.position

-- name: read_again
UPDATE {checkpoints} SET next_offset = 0

-- name: forget
DELETE FROM {work} AS w USING unnest($1::uuid[], $2::text[]) AS looked (record_id, act)
WHERE w.record_id = looked.record_id AND w.act = looked.act

-- name: keep
INSERT INTO {work} (record_id, act, rule, subject_id, due_at, act_at, since)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[],
    $7::timestamptz[])
ON CONFLICT (record_id, act, rule, subject_id, due_at) DO UPDATE SET act_at = excluded.act_at, since = excluded.since

-- name: look_at_all
UPDATE {work} SET act_at = 'epoch' WHERE act = 'deadline'

-- name: due
SELECT record_id, act FROM {work} WHERE act_at <= $1 ORDER BY act_at LIMIT $2

-- name: open
SELECT record_id, act, act_at, due_at, rule, subject_id, since FROM {work} ORDER BY act_at LIMIT $1
