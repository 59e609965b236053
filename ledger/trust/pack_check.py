"""Checks a proof pack offline: from trusted keys to a statement about one record, or the pack's first fault by name."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from ledger.trust.envelope import Envelope, decode
from ledger.trust.fault import EnvelopeFault
from ledger.trust.format_fault import (
    AuditFault,
    CheckpointFault,
    FormatFault,
    MapFault,
    ProofFault,
    QuorumMissing,
    SignatureFault,
)
from ledger.trust.leaf import leaf_hash
from ledger.trust.lineage import is_at_or_after
from ledger.trust.map_audit import MapAudit, parse_map_audit
from ledger.trust.map_published import MapStatement, read_map_published
from ledger.trust.map_tree import check_bucket
from ledger.trust.merkle_check import check_inclusion
from ledger.trust.note_key import VerifierKey
from ledger.trust.pack_fault import PackFault, PackRefused
from ledger.trust.policy import Policy, Witnessed
from ledger.trust.proof_pack import LeafPlace, PackEvent, ProofPack, parse_proof_pack
from ledger.trust.record_map import MAP_PUBLISHED, bucket_of, decode_bucket
from ledger.trust.signed_note import signers

MAP_AHEAD_SECONDS_MAX = 300
"""How far the ledger's clock may be ahead of the witnesses'."""
_SALT_BYTES = 32
_MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class PackTrust:
    """What the reader trusts; nothing of it comes from the pack."""

    policy: Policy
    monitors: tuple[VerifierKey, ...] = field(default=())
    """Keys of monitors whose word on maps counts."""
    map_age_seconds_max: int | None = None
    """How much older than the checkpoint's proven time the map may be, which must be there then; None = any age."""


@dataclass(frozen=True, slots=True)
class PackStatement:
    """What a pack that holds says."""

    record_id: bytes
    witnessed: Witnessed
    envelopes: tuple[Envelope, ...]
    """Every event, from version 1."""
    bodies: int
    """Events whose stored body is in the pack and is the one that the envelope names."""
    opened: int
    """Events whose opened body is in the pack and is the one that was committed to."""
    mapped_version: int
    """Nothing is missing up to this version: it is the last one that was in the ledger at position `map_size`."""
    map_size: int
    map_recorded_at: int
    """When the ledger says that the map was published, Unix microseconds."""
    audited_by: tuple[str, ...]
    """Names of the trusted monitors that rebuilt this very map and found it right; none: the map is unaudited."""


def check_pack_file(data: bytes, trust: PackTrust) -> PackStatement:
    """The statement of a pack's bytes; PackRefused names the first fault."""
    try:
        pack = parse_proof_pack(data)
    except FormatFault as fault:
        raise PackRefused(PackFault.FORM, detail=str(fault)) from fault
    return check_pack(pack, trust)


def check_pack(pack: ProofPack, trust: PackTrust) -> PackStatement:
    """The statement of a pack; PackRefused names the first fault."""
    witnessed = _witnessed(pack, trust.policy)
    envelopes = _chain(pack, witnessed.checkpoint.origin)
    published, said = _published(pack, witnessed)
    _check_age(published, witnessed, trust.map_age_seconds_max)
    mapped = _mapped_version(pack, said)
    _check_places(pack, witnessed, said, mapped)
    return PackStatement(
        record_id=pack.record_id,
        witnessed=witnessed,
        envelopes=envelopes,
        bodies=sum(bool(each.body) for each in pack.events),
        opened=sum(bool(each.plaintext) for each in pack.events),
        mapped_version=mapped,
        map_size=said.size,
        map_recorded_at=published.recorded_at,
        audited_by=_audited_by(
            pack,
            MapAudit(witnessed.checkpoint.origin, pack.map_place.index, said, said.rows, said.root),
            trust.monitors,
        ),
    )


def _witnessed(pack: ProofPack, policy: Policy) -> Witnessed:
    try:
        return policy.accept(pack.checkpoint)
    except QuorumMissing as fault:
        raise PackRefused(PackFault.QUORUM, detail=str(fault)) from fault
    except (SignatureFault, CheckpointFault) as fault:
        raise PackRefused(PackFault.CHECKPOINT, detail=str(fault)) from fault


def _chain(pack: ProofPack, origin: str) -> tuple[Envelope, ...]:
    """The record's envelopes, each following the one before it."""
    envelopes: list[Envelope] = []
    leaf, recorded_at, begun = b"", 0, ""
    for version, event in enumerate(pack.events, 1):
        envelope = _envelope_of(event, origin, version)
        checks = (
            (not begun or is_at_or_after(envelope.origin, begun), PackFault.ORIGIN),
            (envelope.stream_id == pack.record_id, PackFault.RECORD),
            (envelope.stream_version == version, PackFault.VERSION),
            (envelope.prev_leaf == leaf, PackFault.PREV_LEAF),
            (envelope.recorded_at >= recorded_at, PackFault.TIME),
            (_bodies_belong(envelope, event), PackFault.BODY),
        )
        for holds, fault in checks:
            if not holds:
                raise PackRefused(fault, version=version)
        leaf, recorded_at, begun = leaf_hash(event.envelope), envelope.recorded_at, envelope.origin
        envelopes.append(envelope)
    return tuple(envelopes)


def _envelope_of(event: PackEvent, origin: str, version: int = 0) -> Envelope:
    try:
        envelope = decode(event.envelope)
    except EnvelopeFault as fault:
        raise PackRefused(PackFault.ENVELOPE, version=version, detail=fault.reason) from fault
    # What survived of a log that ended is in its successor's tree, under the name it had.
    if not is_at_or_after(origin, envelope.origin):
        raise PackRefused(PackFault.ORIGIN, version=version)
    return envelope


def _bodies_belong(envelope: Envelope, event: PackEvent) -> bool:
    """Whether stored and opened body, where they are there, are the ones that the envelope names."""
    if event.body and sha256(event.body).digest() != envelope.body_sha256:
        return False
    if not event.plaintext:
        return True
    # HMAC pads a short key with zeroes: salts of other lengths would give a body a second proof.
    committed = hmac.digest(event.salt, event.plaintext, "sha256") if len(event.salt) == _SALT_BYTES else b""
    return bool(envelope.commitment) and hmac.compare_digest(committed, envelope.commitment)


def _published(pack: ProofPack, witnessed: Witnessed) -> tuple[Envelope, MapStatement]:
    """The event that published the map, which must be in the log, and what it says."""
    event = pack.map_event
    envelope = _envelope_of(event, witnessed.checkpoint.origin)
    body = event.plaintext if envelope.commitment else event.body
    if envelope.type != MAP_PUBLISHED or not body or not _bodies_belong(envelope, event):
        raise PackRefused(PackFault.MAP_EVENT)
    try:
        said = read_map_published(body)
    except MapFault as fault:
        raise PackRefused(PackFault.MAP_EVENT, detail=str(fault)) from fault
    _check_in_log(event, pack.map_place, witnessed, PackFault.MAP_INCLUSION)
    if said.size > pack.map_place.index:
        raise PackRefused(PackFault.MAP_ORDER)
    return envelope, said


def _check_age(published: Envelope, witnessed: Witnessed, seconds_max: int | None) -> None:
    """A map that says to be newer than the time at which it was seen is no better than one that is too old."""
    if witnessed.proven_time is None:
        if seconds_max is not None:
            raise PackRefused(PackFault.STALE_MAP, detail="no proven time to compare it with")
        return
    age = witnessed.proven_time * _MICROSECONDS - published.recorded_at
    if age < -MAP_AHEAD_SECONDS_MAX * _MICROSECONDS:
        raise PackRefused(PackFault.STALE_MAP, detail="recorded after the proven time")
    if seconds_max is not None and age > seconds_max * _MICROSECONDS:
        raise PackRefused(PackFault.STALE_MAP)


def _mapped_version(pack: ProofPack, said: MapStatement) -> int:
    """The version at which the map knows the record: it must be one that the pack holds, the very same event."""
    number = bucket_of(pack.record_id)
    try:
        check_bucket(number, pack.bucket, pack.bucket_hashes, said.root)
        rows = decode_bucket(number, pack.bucket)
    except ProofFault as fault:
        raise PackRefused(PackFault.BUCKET, detail=str(fault)) from fault
    except MapFault as fault:
        raise PackRefused(PackFault.SECOND_ROW, detail=str(fault)) from fault
    row = next((each for each in rows if each.record_id == pack.record_id), None)
    if row is None:
        raise PackRefused(PackFault.NOT_IN_MAP)
    if row.version > len(pack.events):
        raise PackRefused(PackFault.HIDDEN_TAIL, version=len(pack.events) + 1)
    if leaf_hash(pack.events[row.version - 1].envelope) != row.head_leaf:
        raise PackRefused(PackFault.WRONG_HEAD, version=row.version)
    return row.version


def _check_places(pack: ProofPack, witnessed: Witnessed, said: MapStatement, mapped: int) -> None:
    """The mapped event lies below the map's size, the later ones above it, each in the log."""
    if pack.head.index >= said.size:
        raise PackRefused(PackFault.HEAD_INCLUSION, version=mapped)
    _check_in_log(pack.events[mapped - 1], pack.head, witnessed, PackFault.HEAD_INCLUSION, mapped)
    later = pack.events[mapped:]
    if len(later) != len(pack.later):
        raise PackRefused(PackFault.LATER_INCLUSION, version=mapped + 1)
    before = said.size - 1
    for version, (event, place) in enumerate(zip(later, pack.later, strict=True), mapped + 1):
        _check_in_log(event, place, witnessed, PackFault.LATER_INCLUSION, version)
        if place.index <= before:
            raise PackRefused(PackFault.WRONG_MAP, version=version)
        before = place.index


def _check_in_log(event: PackEvent, place: LeafPlace, witnessed: Witnessed, fault: PackFault, version: int = 0) -> None:
    checkpoint = witnessed.checkpoint
    try:
        check_inclusion(leaf_hash(event.envelope), place.index, checkpoint.size, place.hashes, checkpoint.root)
    except ProofFault as error:
        raise PackRefused(fault, version=version, detail=str(error)) from error


def _audited_by(pack: ProofPack, right: MapAudit, monitors: Sequence[VerifierKey]) -> tuple[str, ...]:
    """The trusted monitors that signed the audit that finds this map right."""
    if pack.audit is None:
        return ()
    try:
        signed = signers(pack.audit, monitors)
        if signed and parse_map_audit(pack.audit.text) != right:
            raise PackRefused(PackFault.AUDIT)
    except (SignatureFault, AuditFault) as fault:
        raise PackRefused(PackFault.AUDIT, detail=str(fault)) from fault
    return tuple(sorted(key.name for key in signed))
