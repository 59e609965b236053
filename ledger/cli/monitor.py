"""`ledger monitor`: rebuilds every record map from an archive's files and signs what it found."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from pathlib import Path

import click
import grpc.aio

from consumers.archive_office.archived_tree import ArchiveDiffers, ArchivedTree
from consumers.archive_office.manifest import BadManifest, read_manifest
from consumers.archive_office.map_monitor import judged_maps
from consumers.archive_office.verification import rows_of_archive, verify_archive
from consumers.checkpoints import LogForked, NotConsistent
from consumers.log_over_http import LogOverHttp
from ledger.api.v1.keys_pb2 import UNSEAL_PURPOSE_ARCHIVE
from ledger.cli.archive_report import state_after, tell_service
from ledger.cli.consume import ARCHIVE_ERRORS, accepted_checkpoint
from ledger.cli.errors_shown import shown_errors
from ledger.cli.note_keys import opened_key
from ledger.cli.patient_opener import PatientOpener
from ledger.cli.service_address import address_option, unseal_token
from ledger.keys.remote_opener import RemoteOpener
from ledger.log.log_proofs import consistency_proof
from ledger.trust.envelope import decode
from ledger.trust.map_audit import MapAudit, RefusedMap
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
@click.option(
    "--log", "log_url", default="", help="The hospital's log, http://HOST:PORT/log/HOSPITAL, to compare with."
)
@click.option("--policy", type=click.Path(path_type=Path), help="tlog-policy file: keys of log and witnesses.")
@address_option
def monitor(
    archive: Path, key_file: Path, out: Path, passphrase_file: Path, log_url: str, policy: Path | None, address: str
) -> None:
    """Rebuild every published record map from an archive's files and write a signed note about each.

    A map that is wrong is named, its note says so, and the exit status is 1; so is an event that publishes none that
    could be rebuilt. The archive itself is verified first. The service is asked to open the events that publish maps.

    With --log and --policy nothing is signed unless the archive and the log's newest head, with the policy's quorum,
    are of one tree, and that head has grown from the last one that was seen (kept in the archive's folder).
    """
    if bool(log_url) != bool(policy):
        raise click.UsageError("--log and --policy go together: without keys a checkpoint says nothing")
    key, token = opened_key(key_file, passphrase_file, KeyKind.ED25519), unseal_token()
    try:
        found = verify_archive(archive)
        if isinstance(found, Fault):
            raise click.ClickException(f"{archive}: the archive itself does not hold: {found}")
        if policy:
            _compare(archive, log_url, policy, address)
        published = [row for row in rows_of_archive(archive) if decode(row.envelope).type == MAP_PUBLISHED]
        with shown_errors():
            bodies = asyncio.run(_opened(published, address, token))
        judged = list(judged_maps(rows_of_archive(archive), lambda row: bodies[row.position]))
    except ARCHIVE_ERRORS as error:
        raise click.ClickException(str(error)) from error
    out.mkdir(parents=True, exist_ok=True)
    wrong = [each for each in judged if not _written(each, key, out)]
    if wrong:
        raise SystemExit(1)


def _compare(archive: Path, log_url: str, policy: Path, address: str) -> None:
    """Raises what the log raises, and ArchiveDiffers, LogForked and NotConsistent, of which the service is told."""
    manifest = read_manifest(archive)
    if manifest is None:
        raise BadManifest(archive, "missing")
    try:
        head = accepted_checkpoint(log_url, policy, archive)
        with LogOverHttp(log_url) as log:  # from the files alone: what the manifest says of the tree was not verified
            ArchivedTree(archive, replace(manifest, tree_peaks=None), head).require_one_tree(
                partial(consistency_proof, log)
            )
    except (LogForked, NotConsistent, ArchiveDiffers) as error:
        asyncio.run(tell_service(manifest.hospital, address, state_after(error), "monitor"))
        raise
    asyncio.run(tell_service(manifest.hospital, address, "running", "monitor"))
    click.echo(f"The archive and the log of {head.origin}, signed at {head.size:,} events, are of one tree.")


async def _opened(rows: list[Row], address: str, token: str) -> dict[int, bytes | None]:
    """The bodies of these events, by position; None for one that does not open."""
    bodies: dict[int, bytes | None] = {}
    async with grpc.aio.insecure_channel(address) as channel:
        opener = PatientOpener(RemoteOpener(channel, token, UNSEAL_PURPOSE_ARCHIVE))
        for begin in range(0, len(rows), _OPENED_AT_ONCE):
            batch = rows[begin : begin + _OPENED_AT_ONCE]
            openings = await opener.open([(row.envelope, row.body) for row in batch])
            for row, opening in zip(batch, openings, strict=True):
                bodies[row.position] = opening.plaintext if isinstance(opening, Opened) else None
    return bodies


def _written(judged: MapAudit | RefusedMap, key: SigningKey, out: Path) -> bool:
    """Writes the note of one map; whether the map holds."""
    position, text = judged.index + 1, judged.text()
    if isinstance(judged, RefusedMap):
        path, place = out / f"map-at-{position}.refused", f"map published at position {position:,}"
        holds, found = False, f"WRONG, {judged.why.value}"
    else:
        path = out / f"map-{judged.published.size}-at-{position}.audit"
        place = f"map of {judged.published.size:,} events at position {position:,}"
        holds, found = judged.holds, "holds" if judged.holds else "WRONG, the entries lead to another"
    path.write_bytes(Note(text, (key.sign(text),)).encode())
    click.echo(f"{place}: {found}; {path}")
    return holds
