"""`ledger repair succeed`: closes a log whose last events are lost for good, and lets a new one go on for it.

Step by step, each of which may be the last of a run that is killed; the next run goes on behind it:
the successor's key, the note that closes the old log, the registry with its fence, LogSucceeded, the old key put away.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid5

import click

from ledger.api.v1.common_pb2 import Actor as ActorMessage
from ledger.application.ledger import Ledger
from ledger.application.message_codec import to_domain
from ledger.application.succession import NotAppended
from ledger.blobs.contract import BlobDiffers, BlobError, Blobs
from ledger.cli.bodies import bodies_with_keys
from ledger.cli.giving_up import Claim, Loss, NotSucceeded, measured_loss
from ledger.cli.log_store import key_folder, known_keys, log_blobs, read_policy
from ledger.cli.person import Person
from ledger.cli.refilling import topic_of
from ledger.cli.running import settings_for
from ledger.cli.signed_heads import of_hospital, signed_heads
from ledger.cli.sole_holder import nobody_else
from ledger.cli.stream_options import kafka_of, kafka_option
from ledger.cli.trusted_keys import required_policy, trust_options
from ledger.cli.witnessed_loss import refuse_below_witnesses
from ledger.config import BadSettings, Settings
from ledger.domain.decide_log import SucceedLog, succeed_log
from ledger.domain.log_events import LossReason
from ledger.domain.refusal import Refused
from ledger.domain.values import Actor
from ledger.integrator.log_keys import KeyUnusable, LogKeys
from ledger.keys.errors import KeyFileUnusable, KeysUnavailable
from ledger.keys.key_folder import KeyFolder
from ledger.log.log_files import ENDED, REFILLED, REPAIR, SIGNED, SUCCEEDED, LogDamaged, LogFiles, log_folder
from ledger.log.own_heads import newest_head
from ledger.log.signed_history import AnotherHistory
from ledger.store.errors import HospitalDiffers, NotDurable, StoreError, StoreUnavailable
from ledger.store.refill import open_refill
from ledger.store.succession import end_log
from ledger.stream.contract import StreamUnavailable
from ledger.stream.topics import records_topic
from ledger.trust.checkpoint import Checkpoint
from ledger.trust.format_fault import FormatFault
from ledger.trust.lineage import successor_of
from ledger.trust.log_ended import LogEnded, check_log_ended
from ledger.trust.merkle import TREE_SIZE_MAX
from ledger.trust.note import Note
from ledger.trust.note_key import KeyKind, SigningKey, VerifierKey
from ledger.trust.signed_note import signers

_NEEDED = (
    "postgres_append_url", "postgres_migrate_url", "postgres_stream_url", "postgres_keys_url", "key_file",
    "key_passphrase_file",
)  # fmt: skip
_COMMANDS = UUID("0c5d3e57-52f1-4f0e-8a57-6f5b8f0f7c11")
_UNDER_WAY = "a succession is under way; run `ledger repair succeed` again"
_FAULTS = (
    AnotherHistory, BadSettings, BlobDiffers, BlobError, FormatFault, HospitalDiffers, KeyFileUnusable, KeysUnavailable,
    KeyUnusable, LogDamaged, NotAppended, NotDurable, StreamUnavailable,
)  # fmt: skip


class SuccessionUnderWay(Exception):
    """A succession is under way; `ledger repair succeed` ends it, and lets commands in."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


def is_under_way(files: LogFiles) -> bool:
    """Whether this log has ended, or is a successor that has not begun yet. Blocks. BlobError."""
    return files.read(ENDED) is not None or files.halted_by(REPAIR) == _UNDER_WAY


@dataclass(frozen=True, slots=True)
class Approval:
    """Who approves the loss, and why it came to be."""

    approvers: tuple[Actor, ...]
    reason: LossReason
    claim: Claim
    kafka: str
    """Where its topic is read, which may hold what the log has lost; empty for nowhere."""


@dataclass(frozen=True, slots=True)
class Succeeded:
    """What was done."""

    ended: LogEnded
    position: int
    """Of the LogSucceeded."""


@click.command()
@click.argument("hospital")
@click.option("--approver", "approvers", type=Person(), multiple=True, required=True, help="Two persons: ID,NAME,ROLE.")
@click.option("--reason", type=click.Choice([each.value for each in LossReason]), required=True, help="Why it is lost.")
@click.option(
    "--dir", "folder", type=click.Path(path_type=Path), help="Folder of the `ledger up` that runs; else the settings."
)
@click.option("--checkpoint", "checkpoints", multiple=True, help="Head of this log that was kept: file, folder, URL.")
@click.option(
    "--lost-to",
    type=click.IntRange(1, TREE_SIZE_MAX),
    default=None,
    help="The last position that is given up, where no head that is left says it: a witness's size, a topic's end.",
)
@kafka_option
@trust_options
def succeed(
    hospital: str,
    approvers: tuple[ActorMessage, ...],
    reason: str,
    folder: Path | None,
    checkpoints: tuple[str, ...],
    lost_to: int | None,
    kafka: str,
    key: VerifierKey | None,
    policy: Path | None,
) -> None:
    """Close the log of HOSPITAL for ever and let a new one go on from what is left of the ledger.

    For a ledger whose signed events are nowhere any more; refused while `ledger repair refill` could bring them back.
    The new log has a new origin and a new key, and begins with an event that says who approved the loss, and of which
    positions: up to the newest head that is left, to one of --checkpoint, or by two persons' word to --lost-to.
    """
    settings = settings_for(*_NEEDED, beside=folder)
    if checkpoints and not (key or policy):
        raise click.UsageError("--checkpoint needs --key or --policy")
    heads = signed_heads(checkpoints, required_policy(key, policy)) if checkpoints else []
    claim = Claim([each.checkpoint for each in of_hospital(heads, hospital)], lost_to or 0)
    try:
        persons = tuple(to_domain(each, Actor) for each in approvers)
        approval = Approval(persons, LossReason(reason), claim, kafka or kafka_of(settings))
        done = asyncio.run(_succeed(settings, hospital, approval))
    except Refused as refused:
        raise click.ClickException("; ".join(f"{each.rule}: {each.text}" for each in refused.violations)) from refused
    except StoreUnavailable as error:
        raise click.ClickException("PostgreSQL cannot be reached") from error
    except OSError as error:
        raise click.ClickException(f"{hospital}: {error.strerror or error}") from error
    except (*_FAULTS, NotSucceeded, StoreError) as error:
        raise click.ClickException(f"{hospital}: {error}") from error
    _say(hospital, settings, done)


def _say(hospital: str, settings: Settings, done: Succeeded) -> None:
    ended = done.ended
    click.echo(f"{hospital}: the log {ended.last.origin} has ended at {ended.lost[-1]:,} events, for ever.")
    click.echo(f"Lost for good: positions {ended.lost[0]:,} to {ended.lost[-1]:,}.")
    click.echo(f"{ended.successor.name} goes on with position {done.position:,}. Its verifier key, for every policy,")
    click.echo(f"witness and receiver: {ended.successor}")
    click.echo("The views are built anew. Receivers of the old log find `succeeded` beside the new checkpoint.")
    if settings.stream == "kafka":
        click.echo(
            f"The topic {records_topic(hospital)} holds events that the ledger has not any more. Publishing and\n"
            "commands are refused until you have removed it (docs/operations.md); it is then filled again."
        )


async def _succeed(settings: Settings, hospital: str, approval: Approval) -> Succeeded:
    async with bodies_with_keys(settings) as bodies, nobody_else(settings, hospital) as still_alone:
        ledger = await Ledger.open(settings, bodies.sealer, bodies.opener)
        try:
            return await _Succession(settings, hospital, ledger, approval).run(still_alone)
        finally:
            await ledger.close()


class _Succession:
    """One hospital's, while nobody else signs or publishes."""

    def __init__(self, settings: Settings, hospital: str, ledger: Ledger, approval: Approval) -> None:
        self._settings = settings
        self._hospital = hospital
        self._ledger = ledger
        self._approval = approval
        self._blobs: Blobs = log_blobs(settings)
        self._folder = KeyFolder(key_folder(settings))
        self._known = known_keys(settings)

    async def run(self, still_alone: asyncio.Task[None]) -> Succeeded:
        """Goes on wherever an earlier run was broken off."""
        origin = await self._ledger.origin_of(self._hospital)
        ended = await self._under_way(origin) or await self._closed(origin)
        if still_alone.done():
            raise NotSucceeded("another process signs or publishes; nothing but the closed log is changed yet")
        old = ended.last.origin
        await end_log(self._settings.postgres_migrate_url, self._hospital, old, ended.successor.name, ended.surviving)
        await self._ledger.hospitals()  # so that this process knows the new origin
        command = self._command(ended.last, ended.lost, LossReason(ended.reason))
        position = await self._ledger.succeed(self._hospital, command)
        for path in self._folder.signing_paths(old, KeyKind.ED25519):
            self._folder.put_away(path)
        await asyncio.to_thread(self._let_commands_in, ended)
        return Succeeded(ended, position)

    def _keys(self, *, make: bool) -> LogKeys:
        """A key is made for the log that goes on alone: with one made anew for the old log anybody could end it."""
        passphrase = self._settings.log_passphrase_file
        return LogKeys(self._folder.folder, passphrase, make=make, verifiers=self._known.verifiers)

    def _files(self, origin: str) -> LogFiles:
        return LogFiles(self._blobs, log_folder(self._hospital, origin))

    async def _under_way(self, origin: str) -> LogEnded | None:
        """The end of the log before, where the ledger has moved on from it and nothing was appended yet."""
        files = self._files(origin)
        if await asyncio.to_thread(files.read, SUCCEEDED) is None:
            return None
        ended = self._checked(files, SUCCEEDED)
        # The ledger too, should somebody have taken the words away: without its LogSucceeded it takes no command.
        begun = await self._ledger.head(self._hospital) > ended.surviving
        return None if begun and await asyncio.to_thread(files.halted_by, REPAIR) != _UNDER_WAY else ended

    async def _closed(self, origin: str) -> LogEnded:
        """Closes the log, or finds it closed: from here on nothing is signed under its origin."""
        files = self._files(origin)
        if await asyncio.to_thread(files.ended) is None:
            old = await asyncio.to_thread(self._old_keys, files, origin)
            loss = await self._lost(files, origin)
            new = await asyncio.to_thread(self._keys(make=True).of, successor_of(origin))
            reason, key = self._approval.reason.value, new[0].verifier()
            text = LogEnded(loss.last, loss.surviving, loss.surviving_root, key, reason, loss.claimed).text()
            note = Note(text, tuple(key.sign(text) for key in (*old, *new)))
            await asyncio.to_thread(files.write, {ENDED: note.encode()})
        ended = self._checked(files, ENDED)
        successor = self._files(ended.successor.name)
        await asyncio.to_thread(successor.halt, REPAIR, _UNDER_WAY)
        await asyncio.to_thread(successor.write, {SUCCEEDED: files.read(ENDED) or b""})
        return ended

    def _old_keys(self, files: LogFiles, origin: str) -> tuple[SigningKey, ...]:
        """Those that sign for the log that is to end. KeyUnusable, also where none of them has signed its last head:
        who knows the log by that head believes no end of theirs.
        """
        keys, signed = self._keys(make=False).of(origin), files.signed()
        if signed is not None and not signers(signed, [key.verifier() for key in keys]):
            raise KeyUnusable(
                origin, "it has not signed the last head of its log, which only the key of that head ends"
            )
        return keys

    async def _lost(self, files: LogFiles, origin: str) -> Loss:
        """What is lost for good. Raises NotSucceeded, Refused: not while anything could bring it back."""
        signed = newest_head(files, origin, self._known(origin))
        if signed is None:
            raise LogDamaged(SIGNED, "missing; nothing says what is lost")
        if strange := [head.origin for head in self._approval.claim.heads if head.origin != origin]:
            raise NotSucceeded(f"a checkpoint of {strange[0]}: not of the log that is to end")
        with topic_of(self._approval.kafka, self._hospital, origin) as topic:
            async with open_refill(self._settings.postgres_append_url, self._hospital) as rows:
                loss = await measured_loss(files, signed, rows.envelopes(), topic, self._approval.claim)
        if policy := self._settings.log_policy:
            await refuse_below_witnesses(read_policy(policy), files, signed, loss)
        command = self._command(loss.last, loss.lost, self._approval.reason)
        succeed_log(command, UUID(int=0), self._ledger.now())  # before a key is made or anything is closed
        click.echo(f"{self._hospital}: not to be had any more: {loss.missing}")
        return loss

    def _let_commands_in(self, ended: LogEnded) -> None:
        """But for a refill that nobody has accepted yet: what it brought back has no reservations all the same. What a
        restore said of lost positions ends with them.
        """
        successor, said = self._files(ended.successor.name), self._files(ended.last.origin).halted_by(REPAIR)
        if said.endswith(REFILLED):
            successor.halt(REPAIR, said)
        else:
            successor.resume(REPAIR)

    def _checked(self, files: LogFiles, path: str) -> LogEnded:
        note = files.ended() if path == ENDED else files.succeeded()
        if note is None:
            raise LogDamaged(path, "missing")
        origin = _ended_origin(note)
        known = {*self._folder.verifiers_of(origin, KeyKind.ED25519), *self._known(origin)}
        return check_log_ended(note, tuple(known))

    def _command(self, last: Checkpoint, lost: range, reason: LossReason) -> SucceedLog:
        return SucceedLog(
            command_id=uuid5(_COMMANDS, last.text()),
            ended_origin=last.origin,
            last_checkpoint=last.text(),
            lost_from=lost.start,
            lost_to=lost.stop - 1,
            approvers=self._approval.approvers,
            reason=reason,
        )


def _ended_origin(note: Note) -> str:
    return [*note.text.split("\n"), "", ""][1]
