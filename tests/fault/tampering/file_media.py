"""The files of a log before `ledger verify log` and before its own integrator; proof files and packs before theirs."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from typing_extensions import override

from ledger.blobs.contract import BlobError
from ledger.blobs.directory import DirectoryBlobs
from ledger.integrator.signed_log import SignedLog
from ledger.log.log_files import KNOWN, SEEN_SIZES, LogDamaged, LogFiles
from ledger.log.seen_files import note_seen
from ledger.trust.checkpoint import parse_checkpoint
from ledger.trust.note import parse_note
from ledger.trust.tile import edge_tiles, new_bundles
from tests.fault.tampering.building import MONITOR, ORIGIN
from tests.fault.tampering.changes import Change, Items, changes
from tests.fault.tampering.medium import Found, Medium, Tampering, ledger_command
from tests.fault.tampering.proof_places import places_in_pack, places_in_proof
from tests.fault.tampering.stored_state import Stored

Check = Callable[[], Found]


@dataclass
class LogFilesOf:
    """Some files of a log's folder."""

    folder: Path
    older: Path
    names: Sequence[str]
    checked: Check

    def tamperings(self, change: Change, dice: Random) -> Iterator[Tampering]:
        """As Medium says."""
        for changed in changes(change, _read(self.folder, self.names), self._older(), dice):
            yield Tampering(tuple(changed), lambda changed=changed: self._with(changed))

    def _older(self) -> Items:
        """What the same place of the tree held before: a partial tile of fewer leaves, an older head."""
        found = _read(self.older, self.names)
        for name in self.names:
            stem, _, _ = name.partition(".p/")
            for path in sorted(self.older.glob(f"{stem}.p/*")):
                found.setdefault(name, path.read_bytes())
        return found

    @contextmanager
    def _with(self, changed: dict[str, bytes | None]) -> Generator[None]:
        kept = {name: (self.folder / name).read_bytes() for name in changed}
        try:
            for name, data in changed.items():
                _put(self.folder / name, data)
            yield
        finally:
            for name, data in kept.items():
                _put(self.folder / name, data)

    def check(self) -> Found:
        """As Medium says."""
        return self.checked()

    def places(self, name: str) -> Sequence[str]:
        """The file; of an entry that is another one, also the tile that its hash is missed in, or the root."""
        if name.startswith("tile/entries/"):
            tile = name.replace("tile/entries/", "tile/0/")
            return name, tile, "the entries lead to another root", name.replace("tile/entries", "bodies")
        return (name,)

    def says_no_more(self, before: Found, after: Found) -> bool:
        """As Medium says."""
        return before.says == after.says


class WholeFolder(LogFilesOf):
    """Files that are taken away all at once."""

    @override
    def tamperings(self, change: Change, dice: Random) -> Iterator[Tampering]:
        """The one change that leaves nothing to compare."""
        assert change is Change.DELETE
        yield Tampering(tuple(self.names), lambda: self._with(dict.fromkeys(self.names)))

    @override
    def places(self, name: str) -> Sequence[str]:
        """The first of them that is missed."""
        return self.names


def log_media(stored: Stored) -> dict[str, Medium]:
    """The media by their name in the declaration."""
    folder, older = stored.now.log, stored.older.log
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    key = str(stored.log_key.verifier())

    kept = ("--checkpoint", str(stored.remembered), "--policy", str(stored.policy))

    def verified() -> Found:
        return ledger_command("verify", "log", str(folder), "--key", key, *kept)

    def verified_alone() -> Found:
        return ledger_command("verify", "log", str(folder), "--key", key)

    def taken_up() -> Found:
        return _taken_up(stored, folder)

    size = parse_checkpoint(parse_note((folder / "checkpoint").read_bytes()).text).size
    edge = {tile.path for tile in edge_tiles(size)}
    edge |= {path for each in new_bundles(0, size) for path in (each.entries_path, each.bodies_path)}

    def is_needed(name: str, beginning: str) -> bool:
        """Partial files of smaller trees serve nobody who asks for this one."""
        of_other_kind = beginning == "tile/" and name.startswith("tile/entries/")
        return not of_other_kind and (".p/" not in name or name in edge)

    def of(beginning: str, checked: Check = verified) -> LogFilesOf:
        chosen = [name for name in names if name.startswith(beginning) and is_needed(name, beginning)]
        assert chosen, beginning
        return LogFilesOf(folder, older, chosen, checked)

    return {
        "tile": of("tile/"),
        "entries": of("tile/entries/"),
        "bodies": of("bodies/"),
        "checkpoint": of("checkpoint"),
        "checkpoint alone": of("checkpoint", verified_alone),
        "signed": of("signed", taken_up),
        "heads": of("heads/", taken_up),
        **_seen_media(stored, size),
    }


def _seen_media(stored: Stored, size: int) -> dict[str, Medium]:
    """The same log after a restore that has seen more of it: one head that it has grown past, and two beyond."""
    folder = Path(shutil.copytree(stored.now.log, stored.folder / "seen-log"))
    files = LogFiles(DirectoryBlobs(folder.parent), folder.name)
    passed = parse_checkpoint(parse_note((stored.older.log / "checkpoint").read_bytes()).text)
    for head in (passed, replace(passed, size=size + 7, root=bytes(32)), replace(passed, size=size + 900)):
        files.note_known(head.size)
        note_seen(files, head)
    names = [f"seen/{path.name}" for path in sorted((folder / "seen").iterdir())]
    key = str(stored.log_key.verifier())

    def checked() -> Found:
        taken_up = _taken_up(stored, folder)
        verified = ledger_command("verify", "log", str(folder), "--key", key)
        assert taken_up.accepted == verified.accepted, f"{taken_up.says}; {verified.says}"
        return Found(taken_up.accepted, f"{taken_up.says}; {verified.says}")

    heads = [name for name in names if name != SEEN_SIZES]
    return {
        "seen": LogFilesOf(folder, folder, heads, checked),
        "seen names": LogFilesOf(folder, folder, [SEEN_SIZES], checked),
        "seen whole": WholeFolder(folder, folder, names, checked),
        "seen and known": WholeFolder(folder, folder, [*names, KNOWN], checked),
    }


def _taken_up(stored: Stored, folder: Path) -> Found:
    try:
        log = SignedLog(LogFiles(DirectoryBlobs(folder.parent), folder.name), ORIGIN, stored.log_key)
        log.take_up()
    except (LogDamaged, BlobError) as damage:
        return Found(accepted=False, says=str(damage))
    return Found(accepted=True, says=f"goes on from {log.signed}")


def proof_media(stored: Stored) -> dict[str, Medium]:
    """Proof file and pack by classes of lines, and as whole files."""
    folder = stored.folder
    entry = folder / "entry"
    entry.write_bytes(stored.entry)
    trust = ("--policy", str(stored.policy))

    def proof_checked(items: Items) -> Found:
        file = folder / "changed.tlog-proof"
        file.write_bytes(_joined(items))
        return ledger_command("verify", "proof", str(file), "--entry", str(entry), *trust)

    def pack_checked(items: Items) -> Found:
        file = folder / "changed.pack"
        file.write_bytes(_joined(items))
        return ledger_command("verify", "pack", str(file), *trust, "--monitor", str(MONITOR.verifier()))

    media: dict[str, Medium] = {}
    for name, checked, now, older in (
        ("proof", proof_checked, stored.now.proof, stored.older.proof),
        ("pack", pack_checked, stored.now.pack, stored.older.pack),
    ):
        for part in PARTS[name]:
            media[f"{name} {part}"] = LinesMedium(_lines(now), _lines(older), PARTS[name][part], checked)
    return media


PARTS: dict[str, dict[str, Sequence[str]]] = {
    "proof": {
        "header": ("c2sp.org/tlog-proof@v1",), "index": ("index",), "hash": ("hash",), "text": ("text",),
        "signature": ("log signature",), "cosignature": ("cosignature",),
    },
    "pack": {
        "header": ("ledger-proof-pack@v1", "record"), "event": ("event",), "body": ("body",),
        "place": ("head", "later", "place", "hash"), "map": ("map", "opened"), "bucket": ("bucket",),
        "audit": ("audit",), "text": ("text",), "signature": ("log signature",), "cosignature": ("cosignature",),
    },
}  # fmt: skip
"""The classes of lines, by the words that `_lines` puts before their number."""


@dataclass
class LinesMedium:
    """Some lines of a file, each an item; the others stay as they are."""

    lines: dict[str, bytes]
    older_lines: dict[str, bytes]
    words: Sequence[str]
    checked: Callable[[Items], Found]

    def __post_init__(self) -> None:
        self._now: dict[str, bytes] = self.lines

    def tamperings(self, change: Change, dice: Random) -> Iterator[Tampering]:
        """As Medium says; a file is cut behind a part of a line."""
        chosen = {name: data for name, data in self.lines.items() if name.partition("#")[0] in self.words}
        assert chosen, self.words
        for changed in changes(change, chosen, self.older_lines, dice):
            yield Tampering(tuple(changed), lambda changed=changed: self._with(change, changed))

    @contextmanager
    def _with(self, change: Change, changed: dict[str, bytes | None]) -> Generator[None]:
        there = {**self.lines, **changed}
        if change is Change.TRUNCATE:
            names = list(self.lines)
            there = {name: there[name] for name in names[: names.index(next(iter(changed))) + 1]}
        self._now = {name: data for name, data in there.items() if data is not None}
        try:
            yield
        finally:
            self._now = self.lines

    def check(self) -> Found:
        """As Medium says."""
        return self.checked(self._now)

    def places(self, name: str) -> Sequence[str]:
        """The line, the version, or the proof that the line is part of."""
        return places_in_proof(name) if "index#0" in self.lines else places_in_pack(name, list(self.lines))

    def says_no_more(self, before: Found, after: Found) -> bool:
        """Every line that is still said was said of the whole file, or takes something back."""
        said = set(before.says.splitlines())
        return all(line in said or line.strip().startswith(_TAKEN_BACK) for line in after.says.splitlines())


_TAKEN_BACK = ("Map unaudited", "Bodies in the pack")


def _lines(data: bytes) -> dict[str, bytes]:
    """The lines by word and number: those of the checkpoint are `text`, `log signature` and `cosignature`."""
    head, _, note = data.partition(b"\n\n")
    text, _, signatures = note.partition(b"\n\n")
    named: dict[str, bytes] = {}

    def put(word: str, line: bytes) -> None:
        known = sum(name.partition("#")[0] == word for name in named)
        named[f"{word}#{known}"] = line

    for line in head.split(b"\n"):
        word = line.partition(b" ")[0].decode()
        put(word if word in _WORDS else "hash", line)
    put("empty", b"")
    for line in text.split(b"\n"):
        put("text", line)
    put("empty", b"")
    for line in signatures.splitlines():
        put("cosignature" if b"witness" in line else "log signature", line)
    return named


_WORDS = {word for parts in PARTS.values() for words in parts.values() for word in words}


def _joined(items: Items) -> bytes:
    return b"\n".join(items.values()) + b"\n"


def _read(folder: Path, names: Sequence[str]) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in names if (folder / name).exists()}


def _put(path: Path, data: bytes | None) -> None:
    if data is None:
        path.unlink()
    else:
        path.write_bytes(data)
