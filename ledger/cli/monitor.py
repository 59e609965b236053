"""`ledger monitor`: rebuilds every record map from an archive's files and signs what it found."""

from __future__ import annotations

from pathlib import Path

import click

from consumers.archive_office.manifest import BadManifest
from consumers.archive_office.map_monitor import MapImpossible, audited_maps
from consumers.archive_office.record_file import ArchiveFileChanged
from consumers.archive_office.verification import rows_of_archive, verify_archive
from ledger.cli.note_keys import opened_key
from ledger.trust.format_fault import MapFault
from ledger.trust.map_audit import MapAudit
from ledger.trust.note import Note
from ledger.trust.note_key import KeyKind, SigningKey
from ledger.trust.verify import Fault


@click.command()
@click.option(
    "--archive", required=True, type=click.Path(path_type=Path, exists=True, file_okay=False), help="Its files."
)
@click.option(
    "--key",
    "key_file",
    required=True,
    type=click.Path(path_type=Path),
    help="Key file of the monitor, made by `ledger keys new NAME`.",
)
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder of the notes.")
@click.option(
    "--passphrase-file",
    required=True,
    type=click.Path(path_type=Path),
    help="A file of yours alone whose first line opens the key.",
)
def monitor(archive: Path, key_file: Path, out: Path, passphrase_file: Path) -> None:
    """Rebuild every published record map from an archive's files and write a signed note about each.

    A map that is wrong is named, its note says so, and the exit status is 1. The archive itself is verified first.
    """
    key = opened_key(key_file, passphrase_file, KeyKind.ED25519)
    try:
        found = verify_archive(archive)
        if isinstance(found, Fault):
            raise click.ClickException(f"{archive}: the archive itself does not hold: {found}")
        audits = list(audited_maps(rows_of_archive(archive)))
    except (ArchiveFileChanged, BadManifest, MapFault) as error:
        raise click.ClickException(str(error)) from error
    except MapImpossible as fault:
        raise click.ClickException(
            f"the map at position {fault.position:,} speaks of {fault.said.size:,} events, which cannot be"
        ) from fault
    out.mkdir(parents=True, exist_ok=True)
    wrong = [audit for audit in audits if not _written(audit, key, out)]
    if wrong:
        raise SystemExit(1)


def _written(audit: MapAudit, key: SigningKey, out: Path) -> bool:
    """Writes the note of one map; whether the map holds."""
    path = out / f"map-{audit.published.size}.audit"
    text = audit.text()
    path.write_bytes(Note(text, (key.sign(text),)).encode())
    place = f"map of {audit.published.size:,} events at position {audit.index + 1:,}"
    click.echo(f"{place}: {'holds' if audit.holds else 'WRONG, the entries lead to another'}; {path}")
    return audit.holds
