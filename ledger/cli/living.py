"""What was published and lives on beside a backup, as the command line and the settings name it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import click

from ledger.backup.asking import Asked, ask_log, ask_topic, ask_witnesses
from ledger.backup.faults import RestoreRefused
from ledger.backup.held_backup import HeldBackup, held_backup
from ledger.backup.manifest import KEYS, Ledger
from ledger.backup.new_backup import LOG
from ledger.backup.older_note_keys import missing_note_keys, note_keys_of, older_note_keys
from ledger.backup.published import Seen
from ledger.backup.restoring import Ask, Checked, checked_backup
from ledger.backup.walked_ledger import Walking
from ledger.blobs.contract import Blobs
from ledger.blobs.directory import DirectoryBlobs
from ledger.cli.log_store import blobs_at, log_blobs
from ledger.cli.signed_heads import Kept, of_hospital
from ledger.cli.stream_options import kafka_of
from ledger.config import Settings
from ledger.log.own_heads import Verifiers
from ledger.stream.contract import StreamUnavailable
from ledger.trust.lineage import is_at_or_after, with_ended
from ledger.trust.note_key import VerifierKey
from ledger.trust.policy import Policy
from ledger.trust.range_walk import Progress, no_progress


@dataclass(frozen=True, slots=True)
class Living:
    """Who can be asked."""

    logs: Mapping[str, Blobs]
    """By name as an operator knows it."""
    named_log: str
    """The one that must be there; empty for none."""
    kept: Kept
    kafka: str
    policy: Policy | None
    """Whose witnesses are asked."""
    keys: Verifiers
    """The keys of a log that are known here."""

    def asks(self, *, for_repair: bool) -> list[Ask]:
        """One for each source."""
        asks: list[Ask] = [lambda ledger, _: self._checkpoints(ledger)]
        for name, log in self.logs.items():
            asks.append(lambda ledger, _, log=log, name=name: self._log(ledger, log, name, for_repair=for_repair))
        if self.kafka:
            asks.append(lambda ledger, _: ask_topic(self.kafka, ledger))
        if (policy := self.policy) and policy.witnesses:
            asks.append(lambda ledger, own: ask_witnesses(policy, own, ledger, for_repair=for_repair))
        return asks

    def _log(self, ledger: Ledger, log: Blobs, name: str, *, for_repair: bool) -> Asked:
        found = ask_log(log, name, ledger, self.keys, for_repair=for_repair)
        if name == self.named_log and ledger.log and not found.seen:
            raise RestoreRefused([f"{name}: no log of {ledger.hospital} there"])
        return found

    def _checkpoints(self, ledger: Ledger) -> Asked:
        """A head of a log that ended before the backup's own may be of what was lost, which nothing has any more."""
        self._refuse_gone_on(ledger)
        ends = {end.last.origin: end for end in self.kept.ends if end.last.origin in with_ended(ledger.origin)[1:]}
        seen = [
            Seen(f"the end of {origin}", ledger.hospital, end.surviving, end.surviving_root)
            for origin, end in ends.items()
        ]
        said: list[str] = []
        for head in (each.checkpoint for each in of_hospital(self.kept.heads, ledger.hospital)):
            end = ends.get(head.origin)
            if end is None or head.size <= end.surviving:
                seen.append(Seen(f"a checkpoint of {head.origin}", ledger.hospital, head.size, head.root))
            elif end.gives_up(head):
                said.append(
                    f"a checkpoint of {head.origin} at {head.size} events cannot be compared: lost with its log"
                )
            else:
                raise RestoreRefused([f"a checkpoint of {head.origin} at {head.size} events: its log had ended before"])
        return Asked(tuple(seen), tuple(said))

    def _refuse_gone_on(self, ledger: Ledger) -> None:
        """Raises RestoreRefused where the log of a backup has ended, as its end or a head of what goes on for it says:
        whatever was put back under its origin would be a second history of it, for a repair too.
        """
        shown = {f"the end of {end.last.origin}": end.successor.name for end in self.kept.ends}
        shown |= {f"a checkpoint of {head.checkpoint.origin}": head.checkpoint.origin for head in self.kept.heads}
        faults = [
            f"{ledger.hospital}: the log {ledger.origin} has ended for ever, {source} says, and another goes on: "
            "restore a backup of that"
            for source, origin in shown.items()
            if origin != ledger.origin and is_at_or_after(origin, ledger.origin)
        ]
        if faults:
            raise RestoreRefused(faults)


def keys_of(trusted: Policy | None, known: Verifiers) -> Verifiers:
    """What was named on the command line, and what this machine knows."""
    named = tuple(log.key for log in trusted.logs) if trusted else ()
    return lambda origin: [*(key for key in named if key.name == origin), *known(origin)]


def living_at(
    settings: Settings,
    folder: Path | None,
    log: str | None,
    kept: Kept,
    kafka: str,
    policy: Policy | None,
    keys: Verifiers,
) -> Living:
    """A store that the settings name lives on by itself; the `log` in a folder that is yet to be made does not."""
    logs = {log: blobs_at(log)} if log else {}
    if settings.blobs or not folder:
        logs[settings.blobs or str(settings.data_dir / "log")] = log_blobs(settings)
    topic = kafka or kafka_of(settings)
    return Living(logs, log or "", kept, topic, policy, keys)


def checked_with(
    backup: Path,
    keys: Path | None,
    living: Living,
    *,
    for_repair: bool,
    walking: Walking | None = None,
    hashing: Progress = no_progress,
) -> Checked:
    """A backup that reaches all that is seen. BadBackup, RestoreRefused, Behind, LogDamaged, BlobError."""
    if keys:
        living = _with_note_keys(living, DirectoryBlobs(backup / LOG), held_backup(keys, KEYS))
    try:
        asks = living.asks(for_repair=for_repair)
        found = checked_backup(backup, keys, asks, living.keys, for_repair=for_repair, walking=walking, hashing=hashing)
    except StreamUnavailable as error:
        raise RestoreRefused([str(error)]) from error
    _refuse_strange(living.kept, found)
    _require_note_keys(living, found, for_repair=for_repair)
    return found


def _require_note_keys(living: Living, found: Checked, *, for_repair: bool) -> None:
    """Raises RestoreRefused where a signed log would go on under a key that nobody has vouched for; said for a repair:
    where its key is lost for good, its records are not.
    """
    stores = {**living.logs, "this backup": found.log}
    faults = [
        fault
        for ledger in found.events.manifest.ledgers
        for name, log in stores.items()
        for fault in (missing_note_keys(log, name, ledger, found.keys) if found.keys else ())
    ]
    if faults and not for_repair:
        raise RestoreRefused([*faults, "take newer KEYS; where there are none, --for-repair (docs/operations.md)"])
    for fault in faults:
        click.echo(f"{fault}: the log is not signed on before that key is put where note keys lie (LEDGER_LOG_KEYS)")


def _refuse_strange(kept: Kept, found: Checked) -> None:
    """Raises RestoreRefused for what was named and is of no ledger of the backup: nothing was compared with it."""
    ledgers = found.events.manifest.ledgers
    strange = [
        f"a checkpoint of {head.checkpoint.origin}"
        for head in kept.heads
        if not any(of_hospital([head], each.hospital) for each in ledgers)
    ]
    strange += [
        f"the end of {end.last.origin}"
        for end in kept.ends
        if not any(end.last.origin in with_ended(each.origin) for each in ledgers)
    ]
    if strange:
        raise RestoreRefused([f"{each}: no ledger of this origin in the backup" for each in strange])


def _with_note_keys(living: Living, own: Blobs, keys: HeldBackup) -> Living:
    """With the keys that would sign on: refused where they are older than a log that is at hand, whose readers would
    not believe them; else they too say which of its heads count.
    """
    stores = {**living.logs, "this backup": own}
    faults = [
        fault
        for ledger in keys.manifest.ledgers
        for name, log in stores.items()
        for fault in older_note_keys(log, name, ledger, keys)
    ]
    if faults:
        raise RestoreRefused(faults)

    def known(origin: str) -> list[VerifierKey]:
        return [*living.keys(origin), *note_keys_of(keys, origin)]

    return replace(living, keys=known)


def say_seen(found: Checked) -> None:
    """With what each ledger was compared, and what was not asked."""
    for each in found.unasked:
        click.echo(each)
    for ledger in found.events.manifest.ledgers:
        others = [each for each in found.seen if each.hospital == ledger.hospital]
        for each in others:
            click.echo(f"{ledger.hospital}: compared with {each.source}, {each.size:,} positions")
        if not others:
            click.echo(
                f"{ledger.hospital}: compared with nothing outside this backup. That nothing newer was published, "
                "nobody says."
            )
