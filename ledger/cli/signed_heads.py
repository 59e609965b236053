"""Signed checkpoints to compare a ledger with: from a file, a folder, or where a log is served."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import click

from ledger.trust.format_fault import FormatFault
from ledger.trust.log_ended import LogEnded, check_log_ended
from ledger.trust.note import NOTE_BYTES_MAX, parse_note
from ledger.trust.policy import Policy, Witnessed

_HTTP = ("http://", "https://")
_SECONDS_MAX = 10
_FILES_MAX = 10_000


def signed_heads(sources: Iterable[str], policy: Policy) -> list[Witnessed]:
    """What each checkpoint proves under the policy; ClickException for one that it does not accept."""
    return [_accepted(name, data, policy) for source in sources for name, data in _notes(source)]


def log_ends(sources: Iterable[str], policy: Policy) -> list[LogEnded]:
    """How logs ended, from files or URLs, each under a key of the policy; ClickException for one that it knows not."""
    keys = tuple(log.key for log in policy.logs)
    ends: list[LogEnded] = []
    for source in sources:
        try:
            ends.append(check_log_ended(parse_note(_file_or_url(source)), keys))
        except FormatFault as fault:
            raise click.ClickException(f"{source}: {fault}") from fault
    return ends


@dataclass(frozen=True, slots=True)
class Kept:
    """What somebody kept of logs, each accepted under a trusted key."""

    heads: Sequence[Witnessed]
    ends: Sequence[LogEnded]


def kept(checkpoints: Sequence[str], ended: Sequence[str], trusted: Policy | None) -> Kept:
    """As `signed_heads` and `log_ends`; UsageError without a trusted key."""
    if trusted is None:
        if checkpoints or ended:
            raise click.UsageError("--checkpoint and --ended need --key or --policy")
        return Kept((), ())
    return Kept(signed_heads(checkpoints, trusted), log_ends(ended, trusted))


def of_hospital(heads: Iterable[Witnessed], hospital: str) -> list[Witnessed]:
    """Those of one hospital's ledger, whose origin is `<prefix>/<hospital>/<number>`."""
    return [head for head in heads if head.checkpoint.origin.split("/")[-2:-1] == [hospital]]


def _accepted(name: str, data: bytes, policy: Policy) -> Witnessed:
    try:
        return policy.accept(parse_note(data))
    except FormatFault as fault:
        raise click.ClickException(f"{name}: {fault}") from fault


def _file_or_url(source: str) -> bytes:
    if source.startswith(_HTTP):
        return _fetched(source)
    try:
        return _read(Path(source))
    except OSError as error:
        raise click.ClickException(f"{source}: {error.strerror}") from error


def _notes(source: str) -> list[tuple[str, bytes]]:
    if source.startswith(_HTTP):
        url = source if source.endswith("/checkpoint") else source.rstrip("/") + "/checkpoint"
        return [(url, _fetched(url))]
    path = Path(source)
    try:
        return [(str(each), _read(each)) for each in (_checkpoints_in(path) if path.is_dir() else [path])]
    except OSError as error:
        raise click.ClickException(f"{source}: {error.strerror}") from error


def _checkpoints_in(folder: Path) -> list[Path]:
    """A log's own checkpoint, or every checkpoint that somebody kept."""
    if (folder / "checkpoint").is_file():
        return [folder / "checkpoint"]
    kept = sorted(folder.glob("*.checkpoint"))
    if not 0 < len(kept) <= _FILES_MAX:
        raise click.ClickException(f"{folder}: neither `checkpoint` nor 1 to {_FILES_MAX} files *.checkpoint")
    return kept


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(NOTE_BYTES_MAX + 1)


def _fetched(url: str) -> bytes:
    try:
        with urlopen(Request(url), timeout=_SECONDS_MAX) as answer:  # noqa: S310 - http and https alone reach this
            return answer.read(NOTE_BYTES_MAX + 1)
    except (URLError, OSError, ValueError) as error:
        raise click.ClickException(f"{url}: {error}") from error
