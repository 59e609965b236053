"""Keys of reservations: HMACs under a hospital's own key, so that the table tells nothing without it."""

import hmac
from hashlib import sha256

from ledger.store.connections import ConnectionPool
from ledger.store.statements import statements


async def reservation_key(pool: ConnectionPool, hospital: str) -> bytes:
    """The hospital's key, 32 bytes; only role ledger_append may read it. It never changes: keep it."""
    rows = await pool.rows(statements("reading", hospital)["reservation_key"])
    assert rows, "a migrated schema has a reservation key"  # noqa: S101
    return bytes(rows[0][0])


def reservation_hmac(key: bytes, kind: str, *parts: bytes | str) -> bytes:
    """HMAC-SHA-256 over kind and parts, each after its length, so that no two lists of parts read the same."""
    mac = hmac.new(key, digestmod=sha256)
    for part in (kind, *parts):
        data = part.encode() if isinstance(part, str) else part
        mac.update(len(data).to_bytes(4, "big") + data)
    return mac.digest()
