-- name: fill
SELECT count(message_store.write_message(
    gen_random_uuid()::varchar, 'note-' || record, 'EntryRecorded', %(data)s::jsonb, NULL, version - 1
)) FROM generate_series(%(first)s::bigint, %(last)s) AS record, generate_series(0, %(each)s - 1) AS version

-- name: settle
VACUUM (ANALYZE) message_store.messages

-- name: append
SELECT message_store.write_message(
    gen_random_uuid()::varchar, ({category} || '-' || gen_random_uuid())::varchar, 'EntryRecorded'::varchar,
    '{data}'::jsonb, NULL::jsonb, (-1)::bigint
);

-- name: few
\set record random(0, {records} - 1)
SELECT * FROM message_store.get_stream_messages(('note-' || (:record)::text)::varchar, 0::bigint, {each}::bigint);

-- name: batch
SELECT * FROM message_store.get_category_messages('note', $1, 1000)

-- name: write
SELECT message_store.write_message(gen_random_uuid()::varchar, $1::varchar, 'Probe'::varchar, '{}'::jsonb, NULL::jsonb, $2)

-- name: position
SELECT max(global_position) FROM message_store.messages
