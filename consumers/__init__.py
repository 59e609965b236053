"""Programs at the far end of the published contract: they know what an outsider knows, and no more.

Only the generated stubs, the reader of the published stream, and the pure checks of `ledger.trust` are used here.
"""
