"""The publisher: brings every hospital's events from its ledger to the published stream, in order and exactly once."""
