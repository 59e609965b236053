"""Our own PostgreSQL and Kafka on one machine: for `ledger up`, the demo and the tests.

Every server here listens on loopback only, keeps everything in the folder given, and ends with the process that
started it.
"""
