-- The registry of hospitals and what the roles share. Everything else of a hospital lies in its own schema.
CREATE TABLE ledger_control.hospitals (
    id text PRIMARY KEY CHECK (id ~ '^[a-z][a-z0-9-]{1,30}$'),
    origin text NOT NULL UNIQUE,
    cluster text NOT NULL DEFAULT 'default',
    partitions integer NOT NULL CHECK (partitions BETWEEN 1 AND 1000),
    state text NOT NULL CHECK (state IN ('adding', 'active', 'closed')),
    schema_version integer NOT NULL DEFAULT 0,
    address text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE ledger_control.leases (
    hospital text NOT NULL,
    role text NOT NULL,
    holder text NOT NULL,
    epoch bigint NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (hospital, role)
);

-- Transfers as the PostgreSQL adapter of the published stream carries them: a sequence of its own per recipient.
CREATE TABLE ledger_control.transfer_stream (
    recipient text NOT NULL,
    sequence bigint NOT NULL,
    source text NOT NULL,
    position bigint NOT NULL,
    envelope bytea NOT NULL,
    body bytea NOT NULL,
    UNIQUE (recipient, sequence),
    UNIQUE (recipient, source, position)
);

CREATE TABLE ledger_control.transfer_progress (
    hospital text PRIMARY KEY,
    position bigint NOT NULL
);

GRANT USAGE ON SCHEMA ledger_control TO ledger_append, ledger_stream, ledger_views, ledger_keys;
GRANT SELECT ON ledger_control.hospitals TO ledger_append, ledger_stream, ledger_views, ledger_keys;
GRANT SELECT, INSERT, UPDATE ON ledger_control.leases TO ledger_append, ledger_stream, ledger_views;
GRANT SELECT, INSERT ON ledger_control.transfer_stream TO ledger_stream;
GRANT SELECT ON ledger_control.transfer_stream, ledger_control.transfer_progress TO ledger_views;
GRANT SELECT, INSERT, UPDATE ON ledger_control.transfer_progress TO ledger_stream;
