-- name: head
-- Position of the last event.
SELECT position FROM {schema}.head

-- name: since
-- Commands after a position, each of one event, and the transactions that stored them.
SELECT count(*), count(DISTINCT xmin::text) FROM {schema}.events WHERE position > %s
