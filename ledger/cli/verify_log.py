"""`ledger verify log`: a log's files, in a folder or over HTTP, against the key that signed them."""

from __future__ import annotations

from pathlib import Path

import click

from consumers.log_over_http import LogOverHttp, LogUnreachable
from ledger.blobs.contract import BlobError
from ledger.blobs.directory import DirectoryBlobs
from ledger.cli.checking_bar import checking_bar
from ledger.cli.signed_heads import signed_heads
from ledger.cli.trusted_keys import required_policy
from ledger.keys.private_file import UnsafeFile, read_private
from ledger.log.fsck import LogChecked, LogFault, check_log
from ledger.log.log_files import LogDamaged, LogFiles
from ledger.log.seen_files import read_seen
from ledger.trust.format_fault import KeyFault
from ledger.trust.note_key import VerifierKey, parse_verifier_key
from ledger.trust.policy import Witnessed
from ledger.trust.range_walk import Progress
from ledger.trust.strict_base64 import to_base64

_TOKEN_BYTES_MAX = 1024
_FAULTS = (LogFault, LogDamaged, LogUnreachable, BlobError, UnsafeFile, OSError)


@click.command()
@click.argument("source")
@click.option("--key", required=True, help="The log's verifier key, as `ledger keys show` prints it.")
@click.option(
    "--token-file",
    type=click.Path(path_type=Path),
    help="A file of yours alone whose first line is a reader's token; a log over HTTP needs it.",
)
@click.option("--no-bodies", is_flag=True, help="Leave the bodies out: the tree is checked without them.")
@click.option(
    "--checkpoint",
    "checkpoints",
    multiple=True,
    help="Signed checkpoint that somebody remembers: a file, a folder (`checkpoint` or *.checkpoint), or a log's URL.",
)
@click.option(
    "--policy",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="tlog-policy file that a remembered checkpoint has to meet; without it the log's own signature is enough.",
)
def log(
    source: str, key: str, token_file: Path | None, no_bodies: bool, checkpoints: tuple[str, ...], policy: Path | None
) -> None:
    """Rebuild the log in SOURCE, a folder or URL, from its entries, and compare every tile, root and body.

    Says that the files are, whole, what the key has signed; not that its owner showed everybody the same: that is
    what witnesses are for. That the log was not put back to an earlier one only --checkpoint shows.
    """
    try:
        trusted = parse_verifier_key(key)
        heads = signed_heads(checkpoints, required_policy(trusted, policy))
        with checking_bar(source) as progress:
            checked = _checked(source, trusted, token_file, heads, progress, bodies=not no_bodies)
    except KeyFault as fault:
        raise click.BadParameter(str(fault), param_hint="--key") from fault
    except _FAULTS as fault:
        click.echo(f"{source}: FAULT {fault}")
        raise SystemExit(1) from fault
    head = checked.checkpoint
    click.echo(
        f"{source}: holds. {head.size:,} leaves of {head.origin}, root {to_base64(head.root)}; "
        f"{checked.tiles:,} tiles compared, {checked.bodies:,} bodies re-hashed"
    )
    if heads:
        click.echo(f"  {len(heads)} remembered checkpoints compared.")
    else:
        click.echo("  No remembered checkpoint was given: whether the whole was rolled back cannot be said.")


def _checked(
    source: str, key: VerifierKey, token_file: Path | None, heads: list[Witnessed], progress: Progress, *, bodies: bool
) -> LogChecked:
    if not source.startswith(("http://", "https://")):
        blobs = DirectoryBlobs(Path(source))
        seen = read_seen(LogFiles(blobs, ""))
        return check_log(blobs.get, key, bodies=bodies, remembered=heads, seen=seen, progress=progress)
    token = b"" if token_file is None else read_private(token_file, bytes_max=_TOKEN_BYTES_MAX).partition(b"\n")[0]
    with LogOverHttp(source, token.decode("ascii", "replace").strip()) as opened:
        return check_log(opened.read, key, bodies=bodies, remembered=heads, progress=progress)
