"""What becomes of speed when a ledger is a hundred times as long, and when a service keeps hundreds of hospitals."""
