"""Walks the events of a backup before they are put anywhere: chains, bodies, columns, head; and how the tree grew."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from ledger.backup.binary_rows import BinaryRow, binary_rows
from ledger.backup.faults import BadBackup
from ledger.backup.held_backup import HeldBackup
from ledger.backup.manifest import Ledger
from ledger.store.statements import schema_of
from ledger.trust.envelope import decode
from ledger.trust.lineage import first_of
from ledger.trust.merkle import EMPTY_ROOT, Frontier
from ledger.trust.verify import Copies, LedgerWalk, Row

_FIRST_VERSION = 1


@dataclass(frozen=True, slots=True)
class Stood:
    """The tree after one event."""

    root: bytes
    leaf: bytes
    """Hash of the last leaf; empty for the empty tree."""


@dataclass(frozen=True, slots=True)
class WalkedLedger:
    """A ledger of a backup that holds together."""

    ledger: Ledger
    at: dict[int, Stood] = field(default_factory=dict[int, Stood])
    """Where the tree stood at the sizes that were asked for."""
    sealed: set[tuple[str, bytes]] = field(default_factory=set[tuple[str, bytes]])
    """Origin and stream of every record whose bodies are sealed."""


def walked_ledger(held: HeldBackup, ledger: Ledger, sizes: Collection[int]) -> WalkedLedger:
    """The ledger, with the tree at these sizes. BadBackup names the first event that does not hold."""
    table = held.rows(schema_of(ledger.hospital), "events")
    walk, tree, found = LedgerWalk(digesting=False), Frontier(), WalkedLedger(ledger)
    found.at[0] = Stood(EMPTY_ROOT, b"")
    with held.open(table.file) as file:
        for values in binary_rows(file, table):
            row = _row(values, table.file)
            if fault := walk.take(row):
                raise BadBackup([f"{table.file}: {fault}"])
            tree.append(walk.leaf)
            if row.position in sizes:
                found.at[row.position] = Stood(tree.root(), walk.leaf)
            if row.copies and row.copies.version == _FIRST_VERSION:
                _note_key(found, row.envelope)
    _require_head(walk, ledger, table.file)
    return found


def _note_key(found: WalkedLedger, data: bytes) -> None:
    envelope = decode(data)
    if envelope.key_id:
        found.sealed.add((first_of(envelope.origin), envelope.stream_id))  # the origin under which keys are kept


def _require_head(walk: LedgerWalk, ledger: Ledger, file: str) -> None:
    if (walk.position, walk.leaf.hex()) != (ledger.head_position, ledger.head_leaf):
        raise BadBackup([f"{file}: ends at position {walk.position}, the manifest says {ledger.head_position}"])
    if walk.position and walk.origin != ledger.origin:
        raise BadBackup([f"{file}: of another origin than the manifest says"])


def _row(values: BinaryRow, file: str) -> Row:
    try:
        taken = {name: values[name] or b"" for name in _COLUMNS}
        version = int.from_bytes(taken["version"], "big")
        kind, recorded_at = taken["type"].decode(), int.from_bytes(taken["recorded_at"], "big")
    except (KeyError, UnicodeDecodeError):
        raise BadBackup([f"{file}: not rows of events"]) from None
    copies = Copies(taken["stream_id"], version, kind, recorded_at, taken["leaf_hash"])
    return Row(int.from_bytes(taken["position"], "big"), taken["envelope"], taken["body"], copies)


_COLUMNS = ("position", "stream_id", "version", "type", "recorded_at", "envelope", "body", "leaf_hash")
