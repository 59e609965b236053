-- name: create
CREATE TABLE {transfers} (
    stream_id uuid NOT NULL,
    transfer_id uuid NOT NULL,
    version bigint NOT NULL,
    opened_position bigint NOT NULL,
    direction text NOT NULL,
    counterpart text NOT NULL,
    record_id uuid NOT NULL,
    state smallint NOT NULL,
    kind smallint NOT NULL,
    record_version bigint NOT NULL,
    package_sha256 bytea NOT NULL,
    package_size bigint NOT NULL,
    code text NOT NULL,
    updated_at bigint NOT NULL,
    outdated boolean NOT NULL,
    since_fork boolean NOT NULL,
    PRIMARY KEY (stream_id, transfer_id)
) WITH (fillfactor = 70);
CREATE INDEX ON {transfers} (opened_position);
CREATE INDEX ON {transfers} (record_id, record_version) WHERE direction = 'received'

-- name: load_transfers
SELECT t.stream_id, t.transfer_id, t.version, t.opened_position, t.direction, t.counterpart, t.record_id, t.state,
    t.kind, t.record_version, t.package_sha256, t.package_size, t.code, t.updated_at, t.outdated,
    t.since_fork
FROM unnest($1::uuid[], $2::uuid[]) AS k (stream_id, transfer_id)
JOIN {transfers} AS t USING (stream_id, transfer_id)

-- name: store_transfers
INSERT INTO {transfers}
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::uuid[],
    $8::smallint[], $9::smallint[], $10::bigint[], $11::bytea[], $12::bigint[], $13::text[], $14::bigint[],
    $15::boolean[], $16::boolean[])
ON CONFLICT (stream_id, transfer_id) DO UPDATE
SET version = excluded.version, opened_position = excluded.opened_position, direction = excluded.direction,
    counterpart = excluded.counterpart, record_id = excluded.record_id, state = excluded.state, kind = excluded.kind,
    record_version = excluded.record_version, package_sha256 = excluded.package_sha256,
    package_size = excluded.package_size, code = excluded.code, updated_at = excluded.updated_at,
    outdated = excluded.outdated, since_fork = excluded.since_fork

-- name: erase_transfers
DELETE FROM {transfers} WHERE stream_id = ANY($1::uuid[])

-- name: transfers
SELECT t.transfer_id, t.opened_position, t.direction, t.counterpart, t.record_id, t.state, t.kind, t.record_version,
    t.package_sha256, t.package_size, t.code, t.updated_at, o.outdated, t.since_fork
FROM {transfers} AS t
CROSS JOIN LATERAL (
    -- What is VERIFIED (5) or ACCEPTED (6) has taken the place of an earlier version.
    SELECT t.outdated AND NOT EXISTS (
        SELECT FROM {transfers} AS l
        WHERE l.direction = 'received' AND l.record_id = t.record_id AND l.record_version > t.record_version
            AND l.counterpart = t.counterpart AND l.state IN (5, 6)
    ) AS outdated
) AS o
WHERE t.opened_position < $1 AND (o.outdated OR NOT $3) AND (t.since_fork OR NOT $4)
ORDER BY t.opened_position DESC LIMIT $2
