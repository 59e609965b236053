"""Asks who lives on what was published: the log, the witnesses, the topic. What is not asked is not seen."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import httpx

from ledger.backup.faults import BadBackup, RestoreRefused
from ledger.backup.manifest import Ledger
from ledger.backup.published import Seen
from ledger.blobs.contract import Blobs
from ledger.integrator.witness_client import Ahead, Answer, Cosigned, Forked, NotCosigned, WitnessClient
from ledger.log.log_files import CHECKPOINT, ENDED, SIGNED, SUCCEEDED, LogDamaged, LogFiles, folder_of_log
from ledger.log.log_proofs import consistency_proof
from ledger.log.own_heads import Verifiers, own_head
from ledger.stream.kafka.reader import KafkaStreamReader
from ledger.stream.kafka.tail import last_places
from ledger.stream.topics import records_topic
from ledger.trust.checkpoint import parse_checkpoint
from ledger.trust.format_fault import FormatFault, KeyFault, TileFault
from ledger.trust.leaf import leaf_hash
from ledger.trust.lineage import number_of
from ledger.trust.log_ended import check_log_ended
from ledger.trust.note import Note
from ledger.trust.note_key import VerifierKey, parse_verifier_key
from ledger.trust.policy import Policy


@dataclass(frozen=True, slots=True)
class Asked:
    """What was seen, and who could not be asked."""

    seen: tuple[Seen, ...]
    unasked: tuple[str, ...] = ()


def ask_log(blobs: Blobs, name: str, ledger: Ledger, keys: Verifiers, *, for_repair: bool = False) -> Asked:
    """The heads of a log that lives on; nothing where it has none. LogDamaged, BlobError; RestoreRefused for one that
    has ended: whatever was put back under its origin would be a second history of it. But `for_repair` up to what
    survives, while the log that goes on for it has not begun: then `ledger repair succeed` can still end that.

    Under any key of the log that is known, here or to the backup: it may have changed its key since. Where none is
    any head counts: one that is forged can keep a backup from being restored, none can make an old one pass.
    """
    files = LogFiles(blobs, ledger.log_folder)
    trusted = {*_recorded_keys(ledger), *keys(ledger.origin)}
    seen = _survivors(blobs, name, ledger, trusted, for_repair)
    for path, note in ((SIGNED, files.signed()), (CHECKPOINT, files.published())):
        if note is None:
            continue
        head = parse_checkpoint(note.text)
        if trusted:
            own_head(note, ledger.origin, tuple(trusted), path)
        elif head.origin != ledger.origin:
            raise LogDamaged(path, "of another origin")
        seen.append(Seen(f"`{path}` of {name}", ledger.hospital, head.size, head.root))
    return Asked(tuple(seen))


def _survivors(
    blobs: Blobs,
    name: str,
    ledger: Ledger,
    trusted: Collection[VerifierKey],
    for_repair: bool,  # noqa: FBT001
) -> list[Seen]:
    """What survives of a log that ended, by its own files or those of its successor; nothing of one that goes on."""
    files = LogFiles(blobs, ledger.log_folder)
    following = LogFiles(blobs, folder_of_log(ledger.hospital, number_of(ledger.origin) + 1))
    if files.read(ENDED) is None and following.read(SUCCEEDED) is None:
        return []
    origin = ledger.origin
    if not for_repair or following.signed() is not None or following.published() is not None:
        what = f"the log {origin} has ended for ever, {name} says, and another goes on: restore a backup of that"
        raise RestoreRefused([f"{ledger.hospital}: {what}"])
    note = files.ended() or following.succeeded() or Note("", ())
    try:
        ended = check_log_ended(note, tuple(trusted))
    except FormatFault as fault:
        raise LogDamaged(ENDED, str(fault)) from fault
    if ended.last.origin != origin or ledger.head_position > ended.surviving:
        what = f"the log {origin} has ended at position {ended.surviving}, {name} says, which this backup is beyond"
        raise RestoreRefused([f"{ledger.hospital}: {what}"])
    return [Seen(f"the end of {origin} in {name}", ledger.hospital, ended.surviving, ended.surviving_root)]


def ask_topic(bootstrap: str, ledger: Ledger) -> Asked:
    """The last event of every partition. StreamUnavailable where the topic cannot be read."""
    topic = records_topic(ledger.hospital)
    reader = KafkaStreamReader(bootstrap, topic)
    try:
        places = last_places(reader)
    finally:
        reader.close()
    return Asked(
        tuple(
            Seen(f"topic {topic}", ledger.hospital, place.position, leaf=leaf_hash(place.envelope))
            for place in places
            if place is not None
        )
    )


def ask_witnesses(policy: Policy, kept: Blobs, ledger: Ledger, *, for_repair: bool) -> Asked:
    """How far each witness has cosigned, asked with the backup's own signed head, which it may well cosign again.

    What a witness says against the backup it cannot prove, so it is weighed as the log weighs it (ADR 13): passed over
    where every quorum has a witness that has just cosigned. RestoreRefused where another tree is known to one that is
    not; but not `for_repair`, since nothing grows then before the log has asked again. One that is away is named, one
    that is passed over too, and so is a backup without a signed head.
    """
    files = LogFiles(kept, ledger.log_folder)
    note = files.signed()
    if note is None:
        return Asked((), (f"{ledger.hospital}: no witness can be asked, the backup has no signed head",))
    try:
        answers = asyncio.run(witness_answers(policy, files, note))
    except TileFault as fault:
        raise BadBackup([f"{ledger.hospital}: the tiles of its log are torn: {fault}"]) from fault
    vouching = [name for name, answer in answers.items() if isinstance(answer, Cosigned)]
    outvoted = not policy.may_pass_over(vouching)
    return _weighed(ledger, {_key_name(policy, name): each for name, each in answers.items()}, outvoted, for_repair)


def _weighed(ledger: Ledger, answers: Mapping[str, Answer], outvoted: bool, for_repair: bool) -> Asked:  # noqa: FBT001
    seen: list[Seen] = []
    said: list[str] = []
    forked: list[str] = []
    for name, answer in answers.items():
        witness = f"{ledger.hospital}: witness {name}"
        match answer:
            case NotCosigned():
                said.append(f"{witness} could not be asked ({answer.why})")
            case Ahead() | Forked() if outvoted:
                said.append(f"{witness} {answer.what}, says it without proof, and is outvoted by those that cosigned")
            case Ahead():
                seen.append(Seen(f"witness {name}", ledger.hospital, answer.size))
            case Forked() if for_repair:
                said.append(
                    f"{witness} {answer.what}, and says it without proof; it is asked again before the log grows"
                )
            case Forked():
                forked.append(f"{witness} knows another history")
            case _:
                pass
    if forked:
        raise RestoreRefused(forked)
    return Asked(tuple(seen), tuple(said))


def _key_name(policy: Policy, name: str) -> str:
    return policy.witnesses[name].key.name


async def witness_answers(policy: Policy, files: LogFiles, note: Note) -> dict[str, Answer]:
    """What each witness says to a signed head, by the witnesses' names in the policy. What reading tiles raises."""
    head = parse_checkpoint(note.text)
    async with httpx.AsyncClient(trust_env=False) as http:
        clients = {name: WitnessClient(peer, http) for name, peer in policy.witnesses.items() if peer.url}
        prove = partial(consistency_proof, files)
        answers = await asyncio.gather(*(each.ask(note, head, prove) for each in clients.values()))
    return dict(zip(clients, answers, strict=True))


def together(asked: Sequence[Asked]) -> Asked:
    """All of it."""
    return Asked(
        tuple(seen for each in asked for seen in each.seen), tuple(said for each in asked for said in each.unasked)
    )


def _recorded_keys(ledger: Ledger) -> list[VerifierKey]:
    try:
        return [parse_verifier_key(each) for each in ledger.log.key.split()] if ledger.log else []
    except KeyFault as fault:
        raise BadBackup([f"{ledger.hospital}: the manifest names no verifier key of its log: {fault}"]) from fault
