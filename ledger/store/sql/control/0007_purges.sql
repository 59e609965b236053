-- What is left to be said of destroyed records: when they became unreadable, who else holds what they said, and the
-- statement of the destruction itself, which the law keeps. It lies beside the keys, so that a key goes and its row
-- comes in one transaction.
CREATE TABLE ledger_keys.purges (
    origin text NOT NULL,
    stream_id uuid NOT NULL,
    position bigint NOT NULL CHECK (position > 0),
    unreadable_at timestamptz NOT NULL,
    generation integer NOT NULL CHECK (generation > 0),
    statement bytea NOT NULL,
    salt bytea NOT NULL,
    holders_known boolean NOT NULL,
    PRIMARY KEY (origin, stream_id),
    CONSTRAINT statement_with_salt CHECK ((length(salt) = 32) = (length(statement) > 0))
);
CREATE INDEX ON ledger_keys.purges (origin, position);
COMMENT ON COLUMN ledger_keys.purges.position IS 'Of the RecordDestroyed.';
COMMENT ON COLUMN ledger_keys.purges.generation IS 'Of the key-encryption key that wrapped the key last.';
COMMENT ON COLUMN ledger_keys.purges.statement IS 'Body of the RecordDestroyed; empty where it could not be opened.';
COMMENT ON COLUMN ledger_keys.purges.salt IS 'By which the statement is held against its commitment; 32 bytes.';

CREATE TABLE ledger_keys.purge_holders (
    origin text NOT NULL,
    stream_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('archive', 'copy', 'package')),
    item text NOT NULL,
    name text NOT NULL,
    acknowledged_at timestamptz,
    acknowledged_by uuid,
    PRIMARY KEY (origin, stream_id, kind, item),
    FOREIGN KEY (origin, stream_id) REFERENCES ledger_keys.purges (origin, stream_id),
    CONSTRAINT by_somebody CHECK ((acknowledged_at IS NULL) = (acknowledged_by IS NULL))
);
COMMENT ON COLUMN ledger_keys.purge_holders.item IS 'Archive office, copy id or transfer id.';
COMMENT ON COLUMN ledger_keys.purge_holders.name IS 'Whom to ask; of a copy the applicant, and empty once it is acknowledged.';

CREATE TABLE ledger_keys.erased_up_to (
    origin text PRIMARY KEY,
    position bigint NOT NULL
) WITH (fillfactor = 50);
COMMENT ON TABLE ledger_keys.erased_up_to IS 'Up to where each ledger was read for destructions, and all of them applied.';

GRANT SELECT, INSERT ON ledger_keys.purges TO ledger_keys;
GRANT SELECT, INSERT ON ledger_keys.purge_holders TO ledger_keys;
GRANT UPDATE (name, acknowledged_at, acknowledged_by) ON ledger_keys.purge_holders TO ledger_keys;
GRANT SELECT, INSERT, UPDATE ON ledger_keys.erased_up_to TO ledger_keys;
