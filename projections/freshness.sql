-- name: reached
SELECT c.position FROM {generations} AS g JOIN {checkpoints} AS c USING (view, generation)
WHERE g.view = $1 AND g.state <> 'building' AND c.partition = $2

-- name: all_reached
SELECT c.partition, c.position, c.events FROM {generations} AS g JOIN {checkpoints} AS c USING (view, generation)
WHERE g.view = $1 AND g.state <> 'building' ORDER BY c.partition

-- name: stopped_at
SELECT d.position FROM {generations} AS g JOIN {dead_letters} AS d USING (view, generation)
WHERE g.view = $1 AND g.state <> 'building' AND d.stream_id = $2 AND d.position <= $3 AND d.resolution = ''
ORDER BY d.position LIMIT 1

-- name: partitions
SELECT partitions FROM ledger_control.hospitals WHERE id = $1
