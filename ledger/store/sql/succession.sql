-- name: bound_waiting
SET LOCAL lock_timeout = '7s'

-- name: end_log
INSERT INTO ledger_control.ended_logs (origin, hospital, successor, surviving) VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING

-- name: move_origin
UPDATE ledger_control.hospitals SET origin = $3 WHERE id = $2 AND origin = $1

-- name: fence
-- Made here and not with the schema: a hospital whose log never ended pays nothing for it.
CREATE OR REPLACE TRIGGER head_under_present_origin BEFORE UPDATE ON {schema}.head
    FOR EACH ROW EXECUTE FUNCTION ledger_control.refuse_ended_log()

-- name: fence_always
ALTER TABLE {schema}.head ENABLE ALWAYS TRIGGER head_under_present_origin

-- name: publish_again
UPDATE ledger_control.transfer_progress SET position = least(position, $2) WHERE hospital = $1

-- name: drop_views
-- They may hold what was lost, and a view cannot take an event back: they are built anew from the first one.
DROP SCHEMA IF EXISTS {views} CASCADE

-- name: create_views
CREATE SCHEMA {views}

-- name: let_views
GRANT USAGE, CREATE ON SCHEMA {views} TO ledger_views

-- name: origin
SELECT origin FROM ledger_control.hospitals WHERE id = $1

-- name: has_ended_logs
SELECT to_regclass('ledger_control.ended_logs') IS NOT NULL

-- name: with_ended_logs
SELECT DISTINCT hospital FROM ledger_control.ended_logs ORDER BY hospital
