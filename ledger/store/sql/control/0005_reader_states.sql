-- What readers of the published stream that are no views last said of themselves.
CREATE TABLE ledger_control.reader_states (
    hospital text NOT NULL,
    reader text NOT NULL,
    state text NOT NULL,
    dead_letters integer NOT NULL,
    waiting integer NOT NULL,
    reported_at timestamptz NOT NULL,
    PRIMARY KEY (hospital, reader)
);

GRANT SELECT, INSERT, UPDATE ON ledger_control.reader_states TO ledger_append;
