"""Many commands of one hospital at once: decided one after the other, sealed together, appended in one transaction.

It refuses nothing and settles no conflict. What is not plainly right is handed back, to be executed by itself as any
command (`command_path`), which then says what is wrong: so there is one place for refusals, and two for appends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from google.protobuf.message import Message

from ledger.application.asked_for import stands_alone
from ledger.application.command_path import outcome_of
from ledger.application.command_table import Asked, decode_request
from ledger.application.errors import LedgerError
from ledger.application.fact_gathering import FactGathering
from ledger.application.hospital_ledger import HospitalLedger, PlacedDecision, Prepared
from ledger.application.outcome import Outcome, decode_result, encode_result
from ledger.application.request_digest import content_digest
from ledger.application.reservation_keys import ReservationKeys
from ledger.application.stated_facts import claimed_item
from ledger.application.stream_cache import Loaded
from ledger.application.written_rules import WrittenRules
from ledger.clock import Clock
from ledger.domain.decide import decide
from ledger.domain.decision import Decision
from ledger.domain.evolve import evolve
from ledger.domain.refusal import Refused
from ledger.domain.state import StreamState, is_destroyed
from ledger.store import append
from ledger.store.committer import GroupCommitter
from ledger.store.reading import ReservationRow

Request = tuple[str, Message]
"""The RPC of a command and its request."""
BATCH_MIN = 2
"""Fewer are no batch."""


class CommandBatch:
    """Executes commands of one hospital together."""

    def __init__(
        self,
        ledger: HospitalLedger,
        committer: GroupCommitter,
        gathering: FactGathering,
        keys: ReservationKeys,
        written: WrittenRules,
        clock_skew_us_max: int,
        clock: Clock,
    ) -> None:
        self._ledger = ledger
        self._committer = committer
        self._gathering = gathering
        self._keys = keys
        self._written = written
        self._clock_skew_us_max = clock_skew_us_max
        self._clock = clock

    async def execute(self, requests: Sequence[Request]) -> list[Outcome | None]:
        """For each command, in order, its outcome where it is durable, else None: nothing of it was written, or its
        command id tells. Where one of a record is handed back, so are all later ones of that record.

        Raises what reading and sealing raise; nothing was written then.
        """
        outcomes: list[Outcome | None] = [None] * len(requests)
        asked = [_asked(request) for _, request in requests]
        await self._load_unknown(asked)
        keys = [None if each is None else self._gathering.claim_key(each) for each in asked]
        claims = await self._gathering.claims([each for each in keys if each is not None])
        batch = _Batch()
        for index, (each, key) in enumerate(zip(asked, keys, strict=True)):
            if each is not None:
                await self._decide(batch, _Work(index, each, claims.get(key) if key else None, *requests[index]))
        if len(batch.decided) >= BATCH_MIN:
            await self._append(batch, outcomes)
        return outcomes

    async def _load_unknown(self, asked: Sequence[Asked | None]) -> None:
        """Side by side; what cannot be loaded stays unknown, and whoever executes its commands is told why."""
        named = {each.stream_id for each in asked if each is not None and each.stream_id is not None}
        unknown = [each for each in named if self._ledger.known(each) is None]
        await asyncio.gather(*map(self._ledger.load, unknown), return_exceptions=True)

    async def _decide(self, batch: _Batch, work: _Work) -> None:
        """Takes the command into the batch, or leaves it, and all later ones of its record, out."""
        stream_id = work.asked.stream_id
        if stream_id is None or stream_id in batch.left:
            return
        loaded = batch.standing.get(stream_id) or self._ledger.known(stream_id)
        try:
            decided = await self._decided(batch, work, loaded) if loaded is not None else None
        except (Refused, LedgerError):
            decided = None
        if decided is None:
            batch.left.add(stream_id)
        else:
            batch.take(decided)

    async def _decided(self, batch: _Batch, work: _Work, loaded: Loaded) -> _Decided | None:
        asked = work.asked
        version = asked.context.expected_version
        if not stands_alone(asked) or is_destroyed(loaded.state) or version not in (None, loaded.version):
            return None
        now = self._clock()
        # These commands do not ask for the leaf of the event before, which in a batch is not sealed yet.
        facts = await self._gathering.facts(asked, loaded, claimed_item(work.claim), frozenset(), now)
        decision = decide(asked.command, loaded.state, facts)
        touched = {asked.context.command_id.int, *((each.kind, each.parts) for each in decision.reservations)}
        if self._written.lack(asked.command, facts.code_tables):
            return None
        if not decision.events or decision.beside or not batch.touched.isdisjoint(touched):
            return None
        batch.touched |= touched
        placed = self._ledger.place(decision, loaded, now)
        return _Decided(work, decision, placed, _standing(loaded, placed))

    async def _append(self, batch: _Batch, outcomes: list[Outcome | None]) -> None:
        prepared = await self._ledger.seal([each.placed for each in batch.decided])
        appends = [self._append_of(each, made) for each, made in zip(batch.decided, prepared, strict=True)]
        verdicts = await self._committer.append_whole(appends)
        whole = all(isinstance(each, append.Appended) for each in verdicts)
        for decided, verdict in zip(batch.decided, verdicts, strict=False):
            if isinstance(verdict, append.Repeated):
                result = decode_result(verdict.result)
                outcomes[decided.work.index] = outcome_of(verdict, result, 0, repeated=True)
            elif whole and isinstance(verdict, append.Appended):
                events = len(decided.placed.made)
                outcomes[decided.work.index] = outcome_of(verdict, decided.decision.result, events, repeated=False)
        if whole and verdicts:
            self._remember(batch, prepared)

    def _append_of(self, decided: _Decided, prepared: Prepared) -> append.Append:
        work, decision = decided.work, decided.decision
        return append.Append(
            command_id=work.asked.context.command_id,
            content=self._keys.of_command(content_digest(work.rpc, work.request)),
            rpc=work.rpc,
            stream_id=decision.stream_id,
            events=prepared.rows,
            reservations=tuple([self._keys.stored(each, decision.stream_id) for each in decision.reservations]),
            result=encode_result(decision.result),
            clock_skew_us_max=self._clock_skew_us_max,
            result_version=decided.after.version,
        )

    def _remember(self, batch: _Batch, prepared: Sequence[Prepared]) -> None:
        leaves = {each.originator_id: each.leaf for made in prepared for each in made.recorded}
        for stream_id, loaded in batch.standing.items():
            self._ledger.remember(replace(loaded, head_leaf=leaves[stream_id]))


@dataclass(frozen=True, slots=True)
class _Work:
    index: int
    """Which of the commands of the batch it is."""
    asked: Asked
    claim: ReservationRow | None
    """Who holds the source item that it names."""
    rpc: str
    request: Message


@dataclass(frozen=True, slots=True)
class _Decided:
    work: _Work
    decision: Decision
    placed: PlacedDecision
    after: Loaded
    """The stream after it, with the leaf that was known before."""


@dataclass(slots=True)
class _Batch:
    """What will be appended together."""

    decided: list[_Decided] = field(default_factory=list[_Decided])
    standing: dict[UUID, Loaded] = field(default_factory=dict[UUID, Loaded])
    """The streams as they will stand."""
    left: set[UUID] = field(default_factory=set[UUID])
    """Streams of commands that were left out."""
    touched: set[Any] = field(default_factory=set[Any])
    """Command ids and reservations: the store takes each of them once in a batch."""

    def take(self, decided: _Decided) -> None:
        self.decided.append(decided)
        self.standing[decided.after.stream_id] = decided.after


def _asked(request: Message) -> Asked | None:
    try:
        return decode_request(request)
    except Refused:
        return None


def _standing(loaded: Loaded, placed: PlacedDecision) -> Loaded:
    state: StreamState = loaded.state
    version, recorded_at = loaded.version, loaded.recorded_at
    for event, place in placed.made:
        version, recorded_at = place.version, place.recorded_at
        state = evolve(state, event, version, recorded_at)
    return Loaded(loaded.stream_id, state, version, loaded.head_leaf, recorded_at)
