-- Ledgers that were put back with keys older than something that is missing: a record may have been destroyed there, and
-- nothing that is left says so. Until the ledger was read for destructions up to there, or two persons say otherwise, no
-- body of it is opened. A row stays: it says who let the records be read, and why.
CREATE TABLE ledger_keys.held_back (
    origin text PRIMARY KEY,
    first bigint NOT NULL CHECK (first > 0),
    upto bigint NOT NULL,
    since timestamptz NOT NULL DEFAULT now(),
    released_at timestamptz,
    released_by uuid[],
    reason text,
    CONSTRAINT some_position CHECK (upto >= first),
    CONSTRAINT by_two_persons CHECK (
        (released_at IS NULL) = (released_by IS NULL) AND (released_at IS NULL) = (reason IS NULL)
        AND (released_by IS NULL OR cardinality(released_by) = 2)
    )
);
COMMENT ON COLUMN ledger_keys.held_back.origin IS 'Of the log that was the ledger''s present one when it was put back.';
COMMENT ON COLUMN ledger_keys.held_back.first IS 'First position in which a destruction may stand that no key knows of.';

GRANT SELECT ON ledger_keys.held_back TO ledger_keys;
GRANT UPDATE (released_at, released_by, reason) ON ledger_keys.held_back TO ledger_keys;
