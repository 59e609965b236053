"""`ledger verify log`: a log's files, in a folder or over HTTP, against the key that signed them."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from consumers.log_over_http import LogOverHttp, LogUnreachable
from ledger.blobs.contract import BlobError
from ledger.blobs.directory import DirectoryBlobs
from ledger.cli.checking_bar import checking_bar
from ledger.cli.signed_heads import signed_heads
from ledger.cli.trusted_keys import required_policy
from ledger.keys.private_file import UnsafeFile, read_private
from ledger.log.fsck import LogChecked, LogWalking, check_log
from ledger.log.log_fault import LogFault, Read
from ledger.log.log_files import LogDamaged, LogFiles
from ledger.log.seen_files import read_seen
from ledger.trust.format_fault import KeyFault
from ledger.trust.note_key import VerifierKey, parse_verifier_key
from ledger.trust.policy import Witnessed
from ledger.trust.range_walk import Progress
from ledger.trust.strict_base64 import to_base64

_TOKEN_BYTES_MAX = 1024
_FAULTS = (LogFault, LogDamaged, LogUnreachable, BlobError, UnsafeFile, OSError)


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a log's files are read, as each process opens them."""

    place: str
    token: str

    @contextmanager
    def __call__(self) -> Generator[Read]:
        if not self.is_url:
            yield DirectoryBlobs(Path(self.place)).get
            return
        with LogOverHttp(self.place, self.token) as opened:
            yield opened.read

    @property
    def is_url(self) -> bool:
        return self.place.startswith(("http://", "https://"))


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
@click.option("--since", multiple=True, help="Checkpoint up to which these very files were verified before; as above.")
@click.option("--jobs", type=click.IntRange(1, 64), help="Processes that read and check; else one a core.")
def log(
    source: str,
    key: str,
    token_file: Path | None,
    no_bodies: bool,
    checkpoints: tuple[str, ...],
    policy: Path | None,
    since: tuple[str, ...],
    jobs: int | None,
) -> None:
    """Rebuild the log in SOURCE, a folder or URL, from its entries, and compare every tile, root and body.

    Says that the files are, whole, what the key has signed; not that its owner showed everybody the same: that is
    what witnesses are for. That the log was not put back to an earlier one only --checkpoint shows.

    Up to a checkpoint of --since every envelope is read and hashed again, and all tiles and the root of that checkpoint
    are compared; bodies are not read, and chains not walked. So a body that was altered there after it was verified is
    not found; check the whole from time to time. Files in another place are another copy: --since is not for them.
    """
    try:
        trusted = parse_verifier_key(key)
        required = required_policy(trusted, policy)
        heads, before = signed_heads(checkpoints, required), signed_heads(since, required)
        known = _verified_before(before, trusted)
        opened = _Source(source, _token(token_file))
        walking = LogWalking(not no_bodies, known, opened, jobs or os.cpu_count() or 1)
        with checking_bar(source) as progress:
            checked = _checked(opened, trusted, walking, [*heads, *before], progress)
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
    if known and no_bodies:
        click.echo(f"  Up to the bundle of leaf {known:,} entries were not read again: verified before.")
    elif known:
        click.echo(
            f"  Up to the bundle of leaf {known:,} bodies were not read again, and chains not walked: verified before."
        )
    if heads:
        click.echo(f"  {len(heads)} remembered checkpoints compared.")
    else:
        click.echo("  No remembered checkpoint was given: whether the whole was rolled back cannot be said.")


def _token(file: Path | None) -> str:
    first = b"" if file is None else read_private(file, bytes_max=_TOKEN_BYTES_MAX).partition(b"\n")[0]
    return first.decode("ascii", "replace").strip()


def _verified_before(heads: list[Witnessed], key: VerifierKey) -> int:
    """Up to which leaf. A checkpoint of another log must not look like one that covers something here."""
    for head in heads:
        if head.checkpoint.origin != key.name:
            raise click.ClickException(f"--since: a checkpoint of {head.checkpoint.origin}, not of {key.name}")
    return max((head.checkpoint.size for head in heads), default=0)


def _checked(
    source: _Source, key: VerifierKey, walking: LogWalking, heads: list[Witnessed], progress: Progress
) -> LogChecked:
    seen = [] if source.is_url else read_seen(LogFiles(DirectoryBlobs(Path(source.place)), ""))
    with source() as read:
        return check_log(read, key, walking=walking, remembered=heads, seen=seen, progress=progress)
