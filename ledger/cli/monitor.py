"""`ledger monitor`: rebuilds every record map from an archive's files and signs what it found."""

from __future__ import annotations

from pathlib import Path

import click

from consumers.archive_office.manifest import BadManifest
from consumers.archive_office.map_monitor import MapImpossible, audited_maps
from consumers.archive_office.record_file import ArchiveFileChanged
from consumers.archive_office.verification import rows_of_archive, verify_archive
from ledger.cli.note_keys import passphrase_in, passphrase_option, shown_key_faults
from ledger.keys.key_folder import open_signing_key
from ledger.trust.format_fault import KeyFault, MapFault
from ledger.trust.map_audit import MapAudit
from ledger.trust.note import Note
from ledger.trust.note_key import SigningKey
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
@passphrase_option
def monitor(archive: Path, key_file: Path, out: Path, passphrase_file: Path | None) -> None:
    """Rebuild every published record map from an archive's files and write a signed note about each.

    A map that is wrong is named, its note says so, and the exit status is 1. The archive itself is verified first.
    """
    with shown_key_faults():
        key = open_signing_key(key_file, passphrase_in(passphrase_file))
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
    try:
        note = Note(text, (key.sign(text),))
    except KeyFault as fault:
        raise click.ClickException(str(fault)) from fault
    path.write_bytes(note.encode())
    place = f"map of {audit.published.size:,} events at position {audit.index + 1:,}"
    click.echo(f"{place}: {'holds' if audit.holds else 'WRONG, the entries lead to another'}; {path}")
    return audit.holds
