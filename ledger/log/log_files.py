"""Where the files of a hospital's log lie among the blobs, and how they are read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from typing_extensions import override

from ledger.blobs.contract import Blobs
from ledger.trust.bundle import decode_bodies, decode_entries
from ledger.trust.checkpoint import Checkpoint, parse_checkpoint
from ledger.trust.decimal_line import from_decimal
from ledger.trust.format_fault import BundleFault, FormatFault
from ledger.trust.lineage import number_of
from ledger.trust.note import Note, parse_note
from ledger.trust.tile import TILE_WIDTH, BundleId, TileId, numbered

CHECKPOINT = "checkpoint"
"""What is published: with a quorum of cosignatures where there is a policy."""
SIGNED = "signed"
"""The last checkpoint that the log itself signed: on disk before anybody sees it, and inside alone."""
HEADS = "heads"
"""Below it the text of every head by its size, written before it is signed and never deleted."""
SEEN = "seen"
"""Below it by size the texts of heads that somebody was shown beyond what this log still shows; never deleted."""
SEEN_SIZES = f"{SEEN}/sizes"
"""Which of them there are, a size a line: one that is taken away is missed."""
ENDED = "ended"
"""Why this log is closed for ever and which one goes on: a note of its own key, never replaced."""
SUCCEEDED = "succeeded"
"""The same note, beside the successor's files, where everybody may read it."""
KNOWN = "known"
"""The last position of which anybody knew when an older ledger was put back; commands wait for it."""
HALTED = "halted"
"""Below it, by the role that found it, why nothing is signed, published or appended until a person decides."""
REFILLED = "are refilled; `ledger repair accept` when that is seen to"
"""What REPAIR says of positions that are back without what is in no log: it outlives the log that they were of."""
INTEGRATE, PUBLISH, REPAIR = HALTING_ROLES = ("integrate", "publish", "repair")
_REASON_CHARACTERS_MAX = 1000


class LogDamaged(Exception):
    """A file of the log is missing or is not what it must be."""

    def __init__(self, name: str, what: str) -> None:
        super().__init__(f"{self.__doc__} {name}: {what}")
        self.name = name
        self.what = what

    @override
    def __reduce__(self) -> tuple[type[LogDamaged], tuple[str, str]]:
        """As one process hands it to another."""
        return LogDamaged, (self.name, self.what)


class LogEndedForEver(Exception):
    """This log has ended; nothing more is ever signed under its origin."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


def log_folder(hospital: str, origin: str) -> str:
    """Where a log's files lie: each log of a ledger has a folder of its own, so that none is ever written over."""
    return folder_of_log(hospital, number_of(origin))


def folder_of_log(hospital: str, number: int) -> str:
    """The same, by which log of the ledger it is, from 1."""
    return hospital if number == 1 else f"{hospital}.{number}"


class LogFiles:
    """The files of one log. Every call blocks; BlobError where the store fails, LogDamaged for bytes that are wrong."""

    def __init__(self, blobs: Blobs, folder: str) -> None:
        """`folder`: as `log_folder` names it; empty where the log lies alone. Nothing is read before it is needed."""
        self._blobs = blobs
        self._folder = folder

    def read(self, path: str) -> bytes | None:
        """The bytes of a path of the log, as `TileId.path` and the like give it; None where there are none."""
        return self._blobs.get(self._name(path))

    def paths(self, folder: str) -> list[str]:
        """The paths of the log below one of its folders, in order."""
        return sorted(name.removeprefix(self._name("")) for name in self._blobs.names(self._name(folder)))

    def tile(self, tile: TileId) -> bytes:
        """A hash tile; a partial one may be answered by the full one of its place, which begins with the same hashes.

        Tiles prove nothing by themselves.
        """
        data = self.read(tile.path)
        if data is None and not tile.is_full:
            data = self.read(TileId(tile.level, tile.index).path)
        return self._required(tile.path, data)

    def tiles(self, tiles: Iterable[TileId]) -> dict[TileId, bytes]:
        """Several hash tiles."""
        return {tile: self.tile(tile) for tile in tiles}

    def entries(self, bundle: BundleId) -> list[bytes]:
        """The leaves (envelopes) of a bundle."""
        data, held = self._bundle(bundle.entries_path, bundle, BundleId(bundle.index).entries_path)
        try:
            return decode_entries(held, data)[: bundle.width]
        except BundleFault as fault:
            raise LogDamaged(bundle.entries_path, "; ".join(fault.faults)) from None

    def bodies(self, bundle: BundleId) -> list[bytes]:
        """The bodies of a bundle, as stored."""
        data, held = self._bundle(bundle.bodies_path, bundle, BundleId(bundle.index).bodies_path)
        try:
            return decode_bodies(held, data)[: bundle.width]
        except BundleFault as fault:
            raise LogDamaged(bundle.bodies_path, "; ".join(fault.faults)) from None

    def signed(self) -> Note | None:
        """The last checkpoint that the log signed; None where it never did."""
        return self._note(SIGNED)

    def published(self) -> Note | None:
        """The published checkpoint."""
        return self._note(CHECKPOINT)

    def write(self, files: Mapping[str, bytes]) -> None:
        """Writes files that never change; BlobDiffers where other bytes are there."""
        self._blobs.put_if_absent({self._name(path): data for path, data in files.items()})

    def has_leaves(self) -> bool:
        """Whether any leaf was ever written: the first tile is there, whole or in part."""
        first = TileId(0, 0).path
        return self.read(first) is not None or bool(self._blobs.names(self._name(f"{first}.p")))

    def fence(self, checkpoint: Checkpoint) -> None:
        """Lets only this root be signed at this size, for ever; BlobDiffers where another was."""
        self.write({head_path(checkpoint.size): checkpoint.text().encode()})

    def put(self, path: str, data: bytes) -> None:
        """Puts a file in place that is written again as the log goes on."""
        self._blobs.put(self._name(path), data)

    def keep_signed(self, note: Note) -> None:
        """Keeps what was signed, before anybody is shown it."""
        self._blobs.put(self._name(SIGNED), note.encode())

    def ended(self) -> Note | None:
        """The note with which this log ended; None while it goes on. Nothing is said of its signatures."""
        data = self.read(ENDED)
        return None if data is None else self._parsed(ENDED, data)

    def succeeded(self) -> Note | None:
        """The note with which the log before this one ended; None for a ledger's first. As `ended`."""
        data = self.read(SUCCEEDED)
        return None if data is None else self._parsed(SUCCEEDED, data)

    def refuse_if_ended(self) -> None:
        """Raises LogEndedForEver."""
        if self.read(ENDED) is not None:
            raise LogEndedForEver

    def publish(self, note: Note) -> None:
        """Puts the checkpoint in place that everybody may read."""
        self._blobs.put(self._name(CHECKPOINT), note.encode())

    def halted(self, *, besides: str = "") -> str:
        """Why this log stands still, as the roles `besides` one have found; empty while it does not."""
        found = [self.halted_by(role) for role in HALTING_ROLES if role != besides]
        return "; ".join(filter(None, [*found, self._end()]))

    def _end(self) -> str:
        return "" if self.read(ENDED) is None else "this log has ended for ever; another goes on"

    def halted_by(self, role: str) -> str:
        """What one role has found; empty for nothing."""
        return (self.read(f"{HALTED}/{role}") or b"").decode("utf-8", "replace")[:_REASON_CHARACTERS_MAX]

    def halt(self, role: str, reason: str) -> None:
        """Says to every role that this ledger must not grow."""
        self._blobs.put(self._name(f"{HALTED}/{role}"), reason[:_REASON_CHARACTERS_MAX].encode())

    def resume(self, role: str) -> None:
        """Takes back what a role has found; what another has found stays."""
        self._blobs.delete(self._name(f"{HALTED}/{role}"))

    def known(self) -> int:
        """The last position of which anybody is known to have known; 0 for none. LogDamaged, BlobError."""
        notes = [note for note in (self.signed(), self.published()) if note]
        named = from_decimal((self.read(KNOWN) or b"0").decode("ascii", "replace"))
        if named is None:
            raise LogDamaged(KNOWN, "no position")
        return max(named, *(parse_checkpoint(note.text).size for note in notes), 0)

    def note_known(self, position: int) -> None:
        """Keeps it where no later one is kept."""
        if position > self.known():
            self._blobs.put(self._name(KNOWN), str(position).encode())

    def drop_partial(self, full: TileId | BundleId) -> None:
        """Removes the partial tiles of a place whose full one is published; readers take that one instead."""
        paths = [full.path] if isinstance(full, TileId) else [full.entries_path, full.bodies_path]
        for path in paths:
            for name in self._blobs.names(self._name(f"{path}.p")):
                self._blobs.delete(name)

    def _bundle(self, path: str, bundle: BundleId, full: str) -> tuple[bytes, BundleId]:
        data = self.read(path)
        if data is None and bundle.width < TILE_WIDTH:
            return self._required(path, self.read(full)), BundleId(bundle.index)
        return self._required(path, data), bundle

    def _required(self, path: str, data: bytes | None) -> bytes:
        if data is None:
            raise LogDamaged(path, "missing")
        return data

    def _note(self, path: str) -> Note | None:
        data = self.read(path)
        if data is None:
            return None
        note = self._parsed(path, data)
        try:
            parse_checkpoint(note.text)
        except FormatFault as fault:
            raise LogDamaged(path, "; ".join(fault.faults)) from None
        return note

    def _parsed(self, path: str, data: bytes) -> Note:
        try:
            return parse_note(data)
        except FormatFault as fault:
            raise LogDamaged(path, "; ".join(fault.faults)) from None

    def _name(self, path: str) -> str:
        return f"{self._folder}/{path}" if self._folder else path


def seen_path(size: int) -> str:
    """Where the text of a head of a size lies that somebody was shown."""
    return f"{SEEN}/{size}"


def head_path(size: int) -> str:
    """Where the text of the head of a size lies."""
    return f"{HEADS}/{numbered(size)}"
