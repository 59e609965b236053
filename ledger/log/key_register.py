"""The key register of a log: `keys/<n>`, a signed line whenever other keys begin to sign; never changed or deleted."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from ledger.blobs.contract import BlobDiffers
from ledger.log.log_files import LogDamaged, LogFiles
from ledger.trust.checkpoint import parse_checkpoint
from ledger.trust.format_fault import FormatFault
from ledger.trust.key_period import KeyPeriod, parse_key_period
from ledger.trust.note import parse_note
from ledger.trust.note_key import SigningKey

KEYS = "keys"
PERIODS_MAX = 999


@dataclass(frozen=True, slots=True)
class Registered:
    """One line of the register."""

    period: KeyPeriod
    vouched: bool
    """Whether a key of the line before has signed it too; the first line is vouched for by nobody."""


def key_register(files: LogFiles) -> list[Registered]:
    """The lines in order; empty for a log from before there was one. LogDamaged, also for a line that is missing
    between others; BlobError.
    """
    found: list[Registered] = []
    paths = files.paths(KEYS)[:PERIODS_MAX]
    if gap := [path for at, path in enumerate(paths, 1) if path != line_path(at)]:
        raise LogDamaged(line_path(paths.index(gap[0]) + 1), f"missing, or {gap[0]} is one too many")
    while len(found) < PERIODS_MAX and (data := files.read(line_path(len(found) + 1))) is not None:
        try:
            period = parse_key_period(parse_note(data))
        except FormatFault as fault:
            raise LogDamaged(line_path(len(found) + 1), str(fault)) from fault
        before = found[-1].period.keys if found else ()
        found.append(Registered(period, not found or bool(set(before) & set(period.keys))))
    return found


def missing_line(files: LogFiles, lines: Sequence[Registered]) -> str:
    """What shows that the last lines were taken away: keys that sign the newest head of the log and have no line; empty
    where nothing does. A line is written once its keys have signed for the first time. LogDamaged, BlobError.
    """
    notes = [note for note in (files.signed(), files.published()) if note]
    if not notes or not lines:
        return ""
    newest = max(notes, key=lambda note: parse_checkpoint(note.text).size)
    signing = {each.key_id for each in newest.signatures if each.name == lines[-1].period.origin}
    named = {key.key_id for line in lines for key in line.period.keys}
    # At the end of a rotation the line comes first, and a log at rest still has the head that both keys have signed.
    lacking = (signing - named) | ({key.key_id for key in lines[-1].period.keys} - signing)
    if not lacking:
        return ""
    ids = ", ".join(sorted(each.hex() for each in lacking))
    return (
        f"{line_path(len(lines) + 1)}: missing, or not written yet: {ids} in the newest head or in the last line alone"
    )


def note_keys(files: LogFiles, origin: str, size: int, keys: Sequence[SigningKey], now: datetime) -> None:
    """Adds a line where the last one names other keys, unless somebody else has just done so. LogDamaged, BlobError."""
    lines, verifiers = key_register(files), tuple(key.verifier() for key in keys)
    if lines and lines[-1].period.keys == verifiers:
        return
    if len(lines) == PERIODS_MAX:
        raise LogDamaged(KEYS, f"more than {PERIODS_MAX} lines")
    period = KeyPeriod(origin, size, int(now.timestamp()), verifiers)
    # Of two that add the same line the first one's stays; whose lease is over learns that at its next signature.
    with suppress(BlobDiffers):
        files.write({line_path(len(lines) + 1): period.signed(keys).encode()})


def line_path(number: int) -> str:
    """Where a line lies, from 1."""
    return f"{KEYS}/{number:03d}"
