-- Which rules a hospital goes by. Records that were registered under other rules keep those.
ALTER TABLE ledger_control.hospitals ADD COLUMN rule_pack text NOT NULL DEFAULT 'cn-2010';
