"""Brings signed checkpoints before the witnesses, and to the public once enough have cosigned."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping

from ledger.integrator import metrics
from ledger.integrator.cosigning import Collected, Cosigning
from ledger.integrator.rollback import LedgerRolledBack
from ledger.integrator.signed_log import SignedLog
from ledger.log.log_proofs import consistency_proof

_log = logging.getLogger(__name__)


class CheckpointPublishing:
    """One round at a time, beside the growth of the log: a witness that is slow holds up nothing."""

    def __init__(
        self,
        hospital: str,
        log: SignedLog,
        cosigning: Cosigning | None,
        every_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Without `cosigning` there is no policy: the log's own signature is all there is."""
        self._hospital = hospital
        self._log = log
        self._cosigning = cosigning
        self._every_seconds = every_seconds
        self._clock = clock
        self._begun_at = float("-inf")
        self._round: asyncio.Task[None] | None = None
        self._said: dict[str, str] = {}
        self._contradicting: dict[str, str] = {}

    async def compare_with_witnesses(self) -> None:
        """LedgerRolledBack where witnesses have cosigned more, or another tree; one that is away is asked again."""
        if self._cosigning is not None:
            await self._cosign(self._cosigning)

    @property
    def is_under_way(self) -> bool:
        """Whether a round is asked, or what it found is not raised yet."""
        return self._round is not None

    async def go_on(self, *, turn_over: bool = False) -> None:
        """Begins a round where one is due; raises what the last one raised. Does not wait for witnesses.

        `turn_over`: others wait, so no round is begun but the first one, which every turn has.
        """
        if self._round is not None and self._round.done():
            done, self._round = self._round, None
            done.result()
        if self._log.is_settled or self._round is not None:
            return
        if self._cosigning is None:
            await asyncio.to_thread(self._log.publish, self._log.signed_note, self._log.signed)
        elif self._is_due(turn_over=turn_over):
            self._begun_at = self._clock()
            self._round = asyncio.create_task(self._cosign(self._cosigning), name=f"cosign {self._hospital}")

    def _is_due(self, *, turn_over: bool) -> bool:
        begun = self._begun_at > float("-inf")
        return not (turn_over and begun) and self._clock() - self._begun_at >= self._every_seconds

    async def close(self) -> None:
        """Ends the round that is under way."""
        if self._round is not None:
            self._round.cancel()
            await asyncio.gather(self._round, return_exceptions=True)

    async def _cosign(self, cosigning: Cosigning) -> None:
        note, checkpoint = self._log.signed_note, self._log.signed
        collected = await cosigning.collect(note, checkpoint, self._prove)
        self._say(collected, checkpoint.size)
        if collected.enough:
            await asyncio.to_thread(self._log.publish, collected.note, checkpoint)

    def _prove(self, old_size: int, size: int) -> tuple[bytes, ...]:
        return consistency_proof(self._log.files, old_size, size)

    def _say(self, collected: Collected, size: int) -> None:
        against = [f"witness {name} {what}" for name, what in collected.contradicting.items()]
        if against and not collected.outvoted:
            raise LedgerRolledBack(self._hospital, f"signed up to {size}, but {', '.join(against)}")
        metrics.quorum_missing.labels(self._hospital).set(not collected.enough)
        self._say_outvoted(collected.contradicting, size)
        if collected.missing == self._said:
            return
        self._said = dict(collected.missing)
        facts = {"hospital": self._hospital, "size": size, "missing": self._said}
        if not collected.enough:
            _log.error("too few witnesses cosign; appends go on, the published checkpoint stays", extra=facts)
        else:
            _log.warning("witnesses that did not cosign", extra=facts)

    def _say_outvoted(self, contradicting: Mapping[str, str], size: int) -> None:
        for name in self._contradicting.keys() | contradicting.keys():
            metrics.witness_contradicts.labels(self._hospital, name).set(name in contradicting)
        if contradicting and contradicting.keys() != self._contradicting.keys():
            facts = {"hospital": self._hospital, "size": size, "witnesses": dict(contradicting)}
            _log.error("a witness contradicts those that cosign; it is passed over", extra=facts)
        self._contradicting = dict(contradicting)
