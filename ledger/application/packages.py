"""Transfer packages: all events of one record up to a version, as bytes whose digest the offer names."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from uuid import UUID

from ledger.api.v1.transfers_pb2 import PackagedEvent, TransferPackage
from ledger.domain.decision import PackageFacts
from ledger.store.reading import StoredRow

FORMAT = 1


def package_bytes(transfer_id: UUID, origin: str, rows: Sequence[StoredRow]) -> bytes:
    """The package of a record's first events, `rows` in order of version; the same bytes for the same arguments."""
    last = rows[-1]
    package = TransferPackage(
        format=FORMAT,
        transfer_id=str(transfer_id),
        sender_origin=origin,
        record_id=str(last.stream_id),
        record_version=last.version,
        head_leaf=last.leaf_hash,
        events=[PackagedEvent(envelope=row.envelope, body=row.body) for row in rows],
    )
    return package.SerializeToString(deterministic=True)


def package_facts(data: bytes, rows: Sequence[StoredRow]) -> PackageFacts:
    """What an offer says of its package."""
    last = rows[-1]
    return PackageFacts(
        record_version=last.version,
        head_leaf=last.leaf_hash,
        events=len(rows),
        sha256=sha256(data).digest(),
        size=len(data),
    )
