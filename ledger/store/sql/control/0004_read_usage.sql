-- What each run of a server has answered by day. A run writes its own totals: written twice they add nothing.
CREATE TABLE ledger_control.read_usage (
    hospital text NOT NULL,
    day text NOT NULL,
    run uuid NOT NULL,
    reads bigint NOT NULL,
    bytes_read bigint NOT NULL,
    PRIMARY KEY (hospital, day, run)
) WITH (fillfactor = 70);

GRANT SELECT, INSERT, UPDATE ON ledger_control.read_usage TO ledger_append;
GRANT SELECT ON ledger_control.read_usage TO ledger_views;
