-- What a hospital is called by people, for what is printed; its id is what programs use, and is never renamed.
ALTER TABLE ledger_control.hospitals ADD COLUMN display_name text NOT NULL DEFAULT '';
