-- name: keep
INSERT INTO ledger_control.reader_states (hospital, reader, state, dead_letters, waiting, reported_at)
VALUES ($1, $2, $3, $4, $5, now())
ON CONFLICT (hospital, reader) DO UPDATE
SET state = excluded.state, dead_letters = excluded.dead_letters, waiting = excluded.waiting,
    reported_at = excluded.reported_at

-- name: all
SELECT hospital, reader, state, dead_letters, waiting, reported_at FROM ledger_control.reader_states
ORDER BY hospital, reader
