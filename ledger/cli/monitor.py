"""`ledger monitor`: rebuilds every record map from an archive's files and signs what it found."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click
import grpc.aio

from consumers.archive_office.manifest import BadManifest
from consumers.archive_office.map_monitor import MapImpossible, audited_maps
from consumers.archive_office.record_file import ArchiveFileChanged
from consumers.archive_office.verification import rows_of_archive, verify_archive
from consumers.patience import ServiceUnavailable
from ledger.api.v1.keys_pb2 import UNSEAL_PURPOSE_ARCHIVE
from ledger.cli.errors_shown import shown_errors
from ledger.cli.note_keys import opened_key
from ledger.cli.patient_opener import PatientOpener
from ledger.cli.service_address import address_option, unseal_token
from ledger.keys.remote_opener import RemoteOpener
from ledger.trust.envelope import decode
from ledger.trust.format_fault import MapFault
from ledger.trust.map_audit import MapAudit
from ledger.trust.note import Note
from ledger.trust.note_key import KeyKind, SigningKey
from ledger.trust.record_map import MAP_PUBLISHED
from ledger.trust.sealing import Opened
from ledger.trust.verify import Fault, Row

_OPENED_AT_ONCE = 100


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
@address_option
def monitor(archive: Path, key_file: Path, out: Path, passphrase_file: Path, address: str) -> None:
    """Rebuild every published record map from an archive's files and write a signed note about each.

    A map that is wrong is named, its note says so, and the exit status is 1. The archive itself is verified first. The
    service is asked for one thing: to open the events that publish maps.
    """
    key, token = opened_key(key_file, passphrase_file, KeyKind.ED25519), unseal_token()
    try:
        found = verify_archive(archive)
        if isinstance(found, Fault):
            raise click.ClickException(f"{archive}: the archive itself does not hold: {found}")
        published = [row for row in rows_of_archive(archive) if decode(row.envelope).type == MAP_PUBLISHED]
        with shown_errors():
            bodies = asyncio.run(_opened(published, address, token))
        audits = list(audited_maps(rows_of_archive(archive), lambda row: bodies[row.position]))
    except (ArchiveFileChanged, BadManifest, MapFault, MapImpossible, ServiceUnavailable) as error:
        raise click.ClickException(str(error)) from error
    out.mkdir(parents=True, exist_ok=True)
    wrong = [audit for audit in audits if not _written(audit, key, out)]
    if wrong:
        raise SystemExit(1)


async def _opened(rows: list[Row], address: str, token: str) -> dict[int, bytes]:
    """The bodies of these events, by position."""
    bodies: dict[int, bytes] = {}
    async with grpc.aio.insecure_channel(address) as channel:
        opener = PatientOpener(RemoteOpener(channel, token, UNSEAL_PURPOSE_ARCHIVE))
        for begin in range(0, len(rows), _OPENED_AT_ONCE):
            batch = rows[begin : begin + _OPENED_AT_ONCE]
            openings = await opener.open([(row.envelope, row.body) for row in batch])
            for row, opening in zip(batch, openings, strict=True):
                if not isinstance(opening, Opened):
                    raise click.ClickException(
                        f"the event at position {row.position:,}, a published map, does not open"
                    )
                bodies[row.position] = opening.plaintext
    return bodies


def _written(audit: MapAudit, key: SigningKey, out: Path) -> bool:
    """Writes the note of one map; whether the map holds."""
    path = out / f"map-{audit.published.size}.audit"
    text = audit.text()
    path.write_bytes(Note(text, (key.sign(text),)).encode())
    place = f"map of {audit.published.size:,} events at position {audit.index + 1:,}"
    click.echo(f"{place}: {'holds' if audit.holds else 'WRONG, the entries lead to another'}; {path}")
    return audit.holds
