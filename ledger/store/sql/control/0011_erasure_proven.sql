-- A server that cannot open what a succession upholds of destructions holds the records back itself.
GRANT INSERT ON ledger_keys.held_back TO ledger_keys;
GRANT UPDATE (first, upto, since) ON ledger_keys.held_back TO ledger_keys;
