-- name: begin
BEGIN

-- name: commit
COMMIT

-- name: bound_waiting
SET LOCAL lock_timeout = '2s'

-- name: become_owner
SET LOCAL ROLE ledger_owner

-- name: lock
SELECT pg_advisory_xact_lock(hashtextextended($1, 7236))

-- name: create_control
CREATE SCHEMA IF NOT EXISTS ledger_control

-- name: create_schema
CREATE SCHEMA IF NOT EXISTS {schema}

-- name: create_version
CREATE TABLE IF NOT EXISTS {schema}.schema_version (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    version integer NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now()
)

-- name: has_version
SELECT to_regclass($1) IS NOT NULL

-- name: version
SELECT version FROM {schema}.schema_version

-- name: set_version
INSERT INTO {schema}.schema_version (version) VALUES ($1)
ON CONFLICT (one) DO UPDATE SET version = excluded.version, changed_at = now()

-- name: set_registry_version
UPDATE ledger_control.hospitals SET schema_version = $2, state = CASE state WHEN 'adding' THEN 'active' ELSE state END
WHERE id = $1

-- name: register_hospital
-- No conflict target: of two processes that register the same hospital at once, the later may meet the unique origin
-- before the primary key, and only conflicts on a named target are left alone. An origin holds its hospital's id.
INSERT INTO ledger_control.hospitals (id, origin, cluster, partitions, state, address, rule_pack, display_name)
VALUES ($1, $2, $3, $4, 'adding', $5, $6, $7) ON CONFLICT DO NOTHING

-- name: name_hospital
-- One that was added without a name gets it later; a name that is there is never replaced.
UPDATE ledger_control.hospitals SET display_name = $2 WHERE id = $1 AND display_name = ''

-- name: hospital
SELECT id, origin, cluster, partitions, state, schema_version, address, rule_pack, display_name
FROM ledger_control.hospitals WHERE id = $1

-- name: list_hospitals
SELECT id FROM ledger_control.hospitals ORDER BY id

-- name: may_create_roles
SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user

-- name: has_role
SELECT 1 FROM pg_roles WHERE rolname = $1

-- name: create_role
CREATE ROLE {role} NOLOGIN

-- name: let_login
ALTER ROLE {role} LOGIN PASSWORD {password}

-- name: is_member
SELECT pg_has_role($1, 'ledger_owner', 'MEMBER')

-- name: join_owner
GRANT ledger_owner TO {role}

-- name: let_owner_create
GRANT CREATE, CONNECT ON DATABASE {database} TO ledger_owner

-- name: let_roles_connect
GRANT CONNECT ON DATABASE {database} TO ledger_migrate, ledger_append, ledger_stream, ledger_views, ledger_keys

-- name: database
SELECT current_database()
