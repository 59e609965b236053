"""Asks who lives on what was published: the log, the witnesses, the topic. What is not asked is not seen."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import httpx

from ledger.backup.faults import BadBackup, RestoreRefused
from ledger.backup.manifest import Ledger
from ledger.backup.published import Seen
from ledger.blobs.contract import Blobs
from ledger.integrator.witness_client import Ahead, Answer, Forked, NotCosigned, WitnessClient
from ledger.log.log_files import CHECKPOINT, SIGNED, LogDamaged, LogFiles
from ledger.log.log_proofs import consistency_proof
from ledger.log.own_heads import own_head
from ledger.stream.kafka.reader import KafkaStreamReader
from ledger.stream.kafka.tail import last_places
from ledger.stream.topics import records_topic
from ledger.trust.checkpoint import parse_checkpoint
from ledger.trust.format_fault import KeyFault, TileFault
from ledger.trust.leaf import leaf_hash
from ledger.trust.note import Note
from ledger.trust.note_key import VerifierKey, parse_verifier_key
from ledger.trust.policy import Policy


@dataclass(frozen=True, slots=True)
class Asked:
    """What was seen, and who could not be asked."""

    seen: tuple[Seen, ...]
    unasked: tuple[str, ...] = ()


def ask_log(blobs: Blobs, name: str, ledger: Ledger, key: VerifierKey | None) -> Asked:
    """The heads of a log that lives on; nothing where it has none. LogDamaged, BlobError.

    Under the log's own key where it is known. Without it any head counts: one that is forged can keep a backup from
    being restored, none can make an old one pass.
    """
    files = LogFiles(blobs, ledger.log_folder)
    seen: list[Seen] = []
    for path, note in ((SIGNED, files.signed()), (CHECKPOINT, files.published())):
        if note is None:
            continue
        head = parse_checkpoint(note.text)
        trusted = key if key and key.name == ledger.origin else _recorded_key(ledger)
        if trusted is not None:
            own_head(note, ledger.origin, [trusted], path)
        elif head.origin != ledger.origin:
            raise LogDamaged(path, "of another origin")
        seen.append(Seen(f"`{path}` of {name}", ledger.hospital, head.size, head.root))
    return Asked(tuple(seen))


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


def ask_witnesses(policy: Policy, kept: Blobs, ledger: Ledger) -> Asked:
    """How far each witness has cosigned, asked with the backup's own signed head, which it may well cosign again.

    RestoreRefused where one knows another tree. One that is away is named, and so is a backup without a signed head.
    """
    files = LogFiles(kept, ledger.log_folder)
    note = files.signed()
    if note is None:
        return Asked((), (f"{ledger.hospital}: no witness can be asked, the backup has no signed head",))
    try:
        answers = asyncio.run(_answers(policy, files, note))
    except TileFault as fault:
        raise BadBackup([f"{ledger.hospital}: the tiles of its log are torn: {fault}"]) from fault
    forked = [name for name, answer in answers.items() if isinstance(answer, Forked)]
    if forked:
        raise RestoreRefused([f"{ledger.hospital}: witness {name} knows another history" for name in forked])
    return Asked(
        tuple(
            Seen(f"witness {name}", ledger.hospital, answer.size)
            for name, answer in answers.items()
            if isinstance(answer, Ahead)
        ),
        tuple(
            f"{ledger.hospital}: witness {name} could not be asked ({answer.why})"
            for name, answer in answers.items()
            if isinstance(answer, NotCosigned)
        ),
    )


async def _answers(policy: Policy, files: LogFiles, note: Note) -> dict[str, Answer]:
    head = parse_checkpoint(note.text)
    async with httpx.AsyncClient(trust_env=False) as http:
        clients = [WitnessClient(peer, http) for peer in policy.witnesses.values() if peer.url]
        answers = await asyncio.gather(*(each.ask(note, head, partial(consistency_proof, files)) for each in clients))
    return dict(zip((each.name for each in clients), answers, strict=True))


def together(asked: Sequence[Asked]) -> Asked:
    """All of it."""
    return Asked(
        tuple(seen for each in asked for seen in each.seen), tuple(said for each in asked for said in each.unasked)
    )


def _recorded_key(ledger: Ledger) -> VerifierKey | None:
    try:
        return parse_verifier_key(ledger.log.key) if ledger.log and ledger.log.key else None
    except KeyFault as fault:
        raise BadBackup([f"{ledger.hospital}: the manifest names no verifier key of its log: {fault}"]) from fault
