"""`ledger repair succeed`: closes a log whose last events are lost for good, and lets a new one go on for it.

Step by step, each of which may be the last of a run that is killed; the next run goes on behind it:
the successor's key, the note that closes the old log, the registry with its fence, LogSucceeded, the old key put away.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID, uuid5

import click

from ledger.api.v1.common_pb2 import Actor as ActorMessage
from ledger.application.ledger import Ledger
from ledger.application.message_codec import to_domain
from ledger.application.succession import NotAppended
from ledger.blobs.contract import BlobDiffers, BlobError
from ledger.cli.believed_topic import BelievedTopic
from ledger.cli.bodies import Bodies, bodies_with_keys
from ledger.cli.ending import Ending
from ledger.cli.giving_up import (
    Claim,
    Loss,
    NotSucceeded,
    measured_loss,
    refuse_below_known,
    require_surviving,
)
from ledger.cli.log_store import read_policy
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
from ledger.domain.log_events import LossReason, UpheldDestruction
from ledger.domain.refusal import Refused
from ledger.domain.values import Actor
from ledger.integrator.log_keys import KeyUnusable
from ledger.keys.errors import KeyFileUnusable, KeysUnavailable
from ledger.log.log_files import LogDamaged
from ledger.log.own_heads import newest_head
from ledger.log.signed_history import AnotherHistory
from ledger.store.errors import HospitalDiffers, NotDurable, StoreError, StoreUnavailable
from ledger.store.refill import open_refill
from ledger.store.succession import end_log
from ledger.stream.contract import StreamUnavailable
from ledger.stream.topics import records_topic
from ledger.trust.checkpoint import Checkpoint
from ledger.trust.format_fault import FormatFault
from ledger.trust.lineage import first_of
from ledger.trust.log_ended import LogEnded
from ledger.trust.merkle import TREE_SIZE_MAX
from ledger.trust.note_key import VerifierKey

_NEEDED = (
    "postgres_append_url", "postgres_migrate_url", "postgres_stream_url", "postgres_keys_url", "key_file",
    "key_passphrase_file",
)  # fmt: skip
_COMMANDS = UUID("0c5d3e57-52f1-4f0e-8a57-6f5b8f0f7c11")
_FAULTS = (
    AnotherHistory, BadSettings, BlobDiffers, BlobError, FormatFault, HospitalDiffers, KeyFileUnusable, KeysUnavailable,
    KeyUnusable, LogDamaged, NotAppended, NotDurable, StreamUnavailable,
)  # fmt: skip


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
    upheld: int
    """How many records stay destroyed whose RecordDestroyed is lost."""
    held: bool
    """Whether no record is opened, since nobody knows which more were destroyed."""


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
@click.option(
    "--unproven", is_flag=True, help="Vouch for a --checkpoint that no witness has cosigned and nothing left can prove."
)
@click.option(
    "--unwitnessed", is_flag=True, help="End it though fewer witnesses than the quorum can be asked what they know."
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
    unproven: bool,
    unwitnessed: bool,
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
    claim = Claim(of_hospital(heads, hospital), lost_to or 0, unproven, unwitnessed)
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
    if ended.unproven:
        click.echo("That the log had grown to its last head two persons say, and nothing else; so does its end.")
    if ended.unwitnessed:
        click.echo("Fewer witnesses than the quorum could be asked whether they know of more; so does its end say.")
    if done.upheld:
        click.echo(f"{done.upheld:,} records whose RecordDestroyed is lost stay destroyed (DestructionsUpheld).")
    click.echo(f"{ended.successor.name} goes on with position {done.position:,}. Its verifier key, for every policy,")
    click.echo(f"witness and receiver: {ended.successor}")
    if done.held:
        click.echo(
            "Records stay held back: which of them were destroyed among the lost positions nothing says. Two persons"
        )
        click.echo(f"who let them be read all the same: `ledger keys release {hospital} --reason LOSS_GIVEN_UP`.")
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
            return await _Succession(settings, hospital, ledger, bodies, approval).run(still_alone)
        finally:
            await ledger.close()


class _Succession:
    """One hospital's, while nobody else signs or publishes."""

    def __init__(self, settings: Settings, hospital: str, ledger: Ledger, bodies: Bodies, approval: Approval) -> None:
        self._settings = settings
        self._hospital = hospital
        self._ledger = ledger
        self._bodies = bodies
        self._approval = approval
        self._ending = Ending(settings, hospital)

    async def run(self, still_alone: asyncio.Task[None]) -> Succeeded:
        """Goes on wherever an earlier run was broken off."""
        origin = await self._ledger.origin_of(self._hospital)
        ended = await self._ending.under_way(origin, await self._ledger.head(self._hospital))
        ended = ended or await self._closed(origin)
        if still_alone.done():
            raise NotSucceeded("another process signs or publishes; nothing but the closed log is changed yet")
        old, new, surviving = ended.last.origin, ended.successor.name, ended.surviving
        await end_log(self._settings.postgres_migrate_url, self._hospital, old, new, surviving)
        await self._ledger.hospitals()  # so that this process knows the new origin
        destroyed = tuple(
            UpheldDestruction(record_id, position)
            for record_id, position in await self._bodies.key_rows.tombstones_beyond(first_of(old), surviving)
        )
        command = self._command(ended.last, ended.lost, LossReason(ended.reason), destroyed)
        position = await self._ledger.succeed(self._hospital, command)
        self._ending.put_old_keys_away(ended)
        await asyncio.to_thread(self._ending.let_commands_in, ended)
        held = await self._bodies.held_back.held([first_of(old)])
        return Succeeded(ended, position, len(destroyed), held=bool(held))

    async def _closed(self, origin: str) -> LogEnded:
        """Closes the log, or finds it closed, over the very ledger that it says survives."""
        ended = await self._ending.found(origin)
        if ended is None:
            old = await asyncio.to_thread(self._ending.old_keys, origin)
            loss = await self._lost(origin)
            ended = await self._ending.close(origin, old, loss, self._approval.reason.value)
        else:
            # It may have been put back since: what the end says is for ever, so the ledger must come to it.
            async with open_refill(self._settings.postgres_append_url, self._hospital) as rows:
                await require_surviving(ended, rows.envelopes())
        await self._ending.show(ended)
        return ended

    async def _lost(self, origin: str) -> Loss:
        """What is lost for good. Raises NotSucceeded, Refused: not while anything could bring it back."""
        files = self._ending.files(origin)
        signed = newest_head(files, origin, self._ending.known(origin))
        if signed is None:
            raise NotSucceeded("its log has signed nothing yet, so nothing that was shown to anybody is lost")
        heads = [each.checkpoint for each in self._approval.claim.heads]
        if strange := [head.origin for head in heads if head.origin != origin]:
            raise NotSucceeded(f"a checkpoint of {strange[0]}: not of the log that is to end")
        with topic_of(self._approval.kafka, self._hospital, origin) as topic:
            async with open_refill(self._settings.postgres_append_url, self._hospital) as rows:
                believed = BelievedTopic(topic, files, signed, self._bodies.checking)
                loss = await measured_loss(files, signed, rows, believed, self._approval.claim)
        await asyncio.to_thread(refuse_below_known, files, loss)
        if policy := self._settings.log_policy:
            asked, word = read_policy(policy), self._approval.claim.unwitnessed
            too_few = await refuse_below_witnesses(asked, files, signed, loss, unwitnessed=word)
            loss = replace(loss, unwitnessed=too_few)
        command = self._command(loss.last, loss.lost, self._approval.reason)
        succeed_log(command, UUID(int=0), self._ledger.now())  # before a key is made or anything is closed
        click.echo(f"{self._hospital}: not to be had any more: {loss.missing}")
        return loss

    def _command(
        self, last: Checkpoint, lost: range, reason: LossReason, destroyed: tuple[UpheldDestruction, ...] = ()
    ) -> SucceedLog:
        return SucceedLog(
            command_id=uuid5(_COMMANDS, last.text()),
            ended_origin=last.origin,
            last_checkpoint=last.text(),
            lost_from=lost.start,
            lost_to=lost.stop - 1,
            approvers=self._approval.approvers,
            reason=reason,
            destroyed=destroyed,
        )
