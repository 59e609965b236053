"""What `ledger verify` found, in sentences."""

from __future__ import annotations

from uuid import UUID

import click

from ledger.cli.proof_words import utc, witnessed_words
from ledger.trust.claimed_times import LAG_US_MAX
from ledger.trust.root_watch import RootWatch
from ledger.trust.strict_base64 import to_base64
from ledger.trust.verify import Fault, Summary


def say(what: str, found: Fault | Summary, watch: RootWatch) -> bool:
    """Prints what holds or the first fault; whether it holds."""
    if isinstance(found, Fault):
        record = UUID(bytes=found.stream_id) if found.stream_id else "unknown"
        click.echo(
            f"{what}: FAULT {found.kind.name} at position {found.position}, record {record}, "
            f"version {found.version}: {found.kind.value}"
        )
        return False
    click.echo(
        f"{what}: holds. {found.events:,} events of {found.streams:,} records, positions "
        f"{found.first_position:,} to {found.last_position:,}, origin {found.origin or 'none yet'}"
        + (f", digest {found.digest.hex()}" if found.digest else "")
    )
    click.echo(f"  root {to_base64(watch.root())} at {watch.size:,} events")
    if found.recorded_at:
        click.echo(f"  recorded until {utc(found.recorded_at)} (as the ledger claims)")
    if found.times.back_us:
        click.echo(
            f"  TIMES: position {found.times.back_position:,} claims a time {found.times.back_us / 1e6:,.0f} s before"
            f" that of an earlier one, above the {LAG_US_MAX // 1_000_000} s that clocks may differ by: the clock was"
            " put back, or times were made up."
        )
    for each in found.successions:
        ended = each.ended or "the log before"
        click.echo(f"  {ended} ended at position {each.position - 1:,}; {each.successor} goes on: what {ended}")
        click.echo("    had signed beyond it was lost, as two persons approved (LogSucceeded).")
    _say_compared(watch)
    return True


def _say_compared(watch: RootWatch) -> None:
    for head in watch.lost:
        checkpoint = head.checkpoint
        click.echo(f"  A head of {checkpoint.origin} at {checkpoint.size:,} events cannot be compared: they are lost.")
    if not watch.compared:
        click.echo(
            "  No signed checkpoint was given: whether this is all, or the whole was rolled back, cannot be said."
        )
        return
    click.echo(f"  {len(watch.compared)} signed checkpoints compared; the last:")
    for line in witnessed_words(watch.compared[-1]):
        click.echo(f"    {line}")
