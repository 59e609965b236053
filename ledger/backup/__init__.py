"""A backup of whole ledgers as files, keys apart, and the way back: never to a state before what was published."""
