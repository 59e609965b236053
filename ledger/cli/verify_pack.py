"""`ledger verify pack` and `ledger verify proof`: files of proof checked offline, without service or network."""

from __future__ import annotations

from pathlib import Path

import click

from ledger.cli.proof_words import pack_words, witnessed_words
from ledger.cli.trusted_keys import LogKey, required_policy, trust_options
from ledger.trust.envelope import ENVELOPE_BYTES_MAX
from ledger.trust.format_fault import FormatFault
from ledger.trust.leaf import leaf_hash
from ledger.trust.note_key import VerifierKey
from ledger.trust.pack_check import PackTrust, check_pack_file
from ledger.trust.pack_fault import PackRefused
from ledger.trust.proof_pack import PACK_BYTES_MAX
from ledger.trust.tlog_proof import PROOF_BYTES_MAX, check_tlog_proof, parse_tlog_proof

_file = click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))


@click.command()
@_file
@trust_options
@click.option("--monitor", "monitors", type=LogKey(), multiple=True, help="Key of a monitor whose word on maps counts.")
@click.option(
    "--map-age",
    type=click.IntRange(min=1),
    help="Refuse a map that is so many seconds older than the proven time of the checkpoint; else any age is taken.",
)
def pack(
    file: Path,
    key: VerifierKey | None,
    policy: Path | None,
    monitors: tuple[VerifierKey, ...],
    map_age: int | None,
) -> None:
    """Check a record's proof pack FILE. Exit status 1 names the first fault."""
    trust = PackTrust(required_policy(key, policy), monitors, map_age)
    try:
        statement = check_pack_file(_read(file, PACK_BYTES_MAX), trust)
    except PackRefused as refused:
        click.echo(f"{file}: REFUSED {refused}")
        raise SystemExit(1) from refused
    click.echo(f"{file}: holds.")
    for line in pack_words(statement):
        click.echo(f"  {line}")


@click.command()
@_file
@click.option(
    "--entry",
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="File with the event's envelope, as stored.",
)
@trust_options
def proof(file: Path, entry: Path, key: VerifierKey | None, policy: Path | None) -> None:
    """Check that the event whose envelope is in --entry is in the log, by the .tlog-proof FILE."""
    trusted = required_policy(key, policy)
    try:
        parsed = parse_tlog_proof(_read(file, PROOF_BYTES_MAX))
        witnessed = check_tlog_proof(parsed, leaf_hash(_read(entry, ENVELOPE_BYTES_MAX)), trusted)
    except FormatFault as fault:
        click.echo(f"{file}: REFUSED {fault}")
        raise SystemExit(1) from fault
    click.echo(f"{file}: holds. The event stands at position {parsed.index + 1:,}.")
    for line in witnessed_words(witnessed):
        click.echo(f"  {line}")


def _read(path: Path, bytes_max: int) -> bytes:
    """One byte more than allowed is enough to be refused."""
    try:
        with path.open("rb") as file:
            return file.read(bytes_max + 1)
    except OSError as error:
        raise click.UsageError(f"{path}: {error.strerror}") from error
