-- Destructions that a succession upholds, and a register that proves itself.

-- A server that cannot open what a succession upholds of destructions holds the records back itself.
GRANT INSERT ON ledger_keys.held_back TO ledger_keys;
GRANT UPDATE (first, upto, since) ON ledger_keys.held_back TO ledger_keys;

-- What stood in the register before is read for destructions again, and proven so: its dates are then those of today.
ALTER TABLE ledger_keys.purges ADD COLUMN proof bytea NOT NULL DEFAULT '';
COMMENT ON COLUMN ledger_keys.purges.proof IS 'HMAC over row, holders and tombstone; empty where it was written without the key file.';
GRANT UPDATE (position, unreadable_at, generation, holders_known, statement, salt, proof) ON ledger_keys.purges TO ledger_keys;
UPDATE ledger_keys.erased_up_to SET position = 0;

-- Whoever may write readable files of a ledger's records once holds them, whether or not it may today.
CREATE TABLE ledger_keys.archive_offices (
    origin text NOT NULL,
    name text NOT NULL,
    since timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (origin, name)
);
COMMENT ON TABLE ledger_keys.archive_offices IS 'Every consumer that ever had the purpose archive at a ledger, by its first origin.';
GRANT SELECT, INSERT ON ledger_keys.archive_offices TO ledger_keys;
