"""A monitor's word on a map, read from its notes: which of them goes into a pack, and of which map the pack must be."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import click

from ledger.trust.checkpoint import parse_checkpoint
from ledger.trust.format_fault import FormatFault
from ledger.trust.map_audit import MapAudit, parse_map_audit
from ledger.trust.note import NOTE_BYTES_MAX, Note, parse_note
from ledger.trust.proof_pack import parse_proof_pack


@dataclass(frozen=True, slots=True)
class AuditNote:
    """A note, and what it says of which map. Whether its key is a monitor's says only who checks the pack."""

    note: Note
    said: MapAudit

    @property
    def map_position(self) -> int:
        """Of the event that published the map."""
        return self.said.index + 1

    def put_into(self, data: bytes) -> bytes:
        """The pack with the note in it; ClickException where the pack is not of the map that the note is about."""
        pack = parse_proof_pack(data)
        origin = parse_checkpoint(pack.checkpoint.text).origin
        if (pack.map_place.index, origin) != (self.said.index, self.said.origin):
            raise click.ClickException(f"the note is on another map: {self.said.origin}, position {self.map_position}")
        return replace(pack, audit=self.note).encode()


def newest_audit(path: Path) -> AuditNote:
    """The note of a file; of a folder, as `ledger monitor` fills it, the one on the newest map that it found right."""
    if not path.is_dir():
        return _read(path)
    notes = [_read(each) for each in sorted(path.glob("*.audit"))]
    right = [each for each in notes if each.said.holds]
    if not right:
        raise click.ClickException(f"{path}: no monitor's note (*.audit) that finds a map right")
    return max(right, key=lambda each: (each.said.published.size, each.said.index))


def _read(path: Path) -> AuditNote:
    try:
        with path.open("rb") as file:
            note = parse_note(file.read(NOTE_BYTES_MAX + 1))
        return AuditNote(note, parse_map_audit(note.text))
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror}") from error
    except FormatFault as fault:
        raise click.ClickException(f"{path}: {fault}") from fault
