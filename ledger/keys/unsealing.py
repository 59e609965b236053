"""Opens bodies for others: who asks is known, may ask for this, and is counted."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence

import prometheus_client
from prometheus_client import CollectorRegistry

from ledger.api.v1.keys_pb2 import UnsealPurpose
from ledger.keys.consumers_file import Consumer, Consumers
from ledger.keys.errors import HospitalDenied, KeysHeldBack, PurposeDenied, UnknownToken
from ledger.keys.origin import hospital_of
from ledger.trust.envelope import decode
from ledger.trust.fault import EnvelopeFault
from ledger.trust.sealing import Destroyed, Opened, Opener, Opening

_log = logging.getLogger(__name__)
_BEARER = "Bearer "
_REFUSED = {
    "denied": "bodies were asked for without a right to",
    "held_back": "bodies were asked for while records are held back",
}


class Unsealing:
    """Opens batches for consumers."""

    def __init__(
        self, consumers: Consumers, opener: Opener, registry: CollectorRegistry = prometheus_client.REGISTRY
    ) -> None:
        self._consumers = consumers
        self._opener = opener
        self._bodies = prometheus_client.Counter(
            "ledger_unsealed_bodies",
            "Bodies that were asked for, by what became of them",
            ["consumer", "purpose", "hospital", "outcome"],
            registry=registry,
        )

    async def unseal(
        self, authorization: str | None, purpose: UnsealPurpose.ValueType, events: Sequence[tuple[bytes, bytes]]
    ) -> list[Opening]:
        """One result per (envelope, body), in order. Raises UnknownToken, PurposeDenied, HospitalDenied,
        KeysUnavailable, KeysHeldBack; one event of a hospital that is not the caller's, or whose records are held back,
        refuses the whole batch.
        """
        asking = self._allowed(authorization, purpose)
        hospitals = Counter(_hospital(envelope) for envelope, _ in events)
        if denied := [each for each in sorted(hospitals) if not asking.serves(each)]:
            self._note_refused(asking, purpose, "denied", {each: hospitals[each] for each in denied})
            raise HospitalDenied(denied[0])
        try:
            openings = await self._opener.open(events)
        except KeysHeldBack as held:
            self._note_refused(asking, purpose, "held_back", {each: hospitals[each] for each in held.hospitals})
            raise
        self._note(asking, purpose, events, openings)
        return openings

    def _allowed(self, authorization: str | None, purpose: UnsealPurpose.ValueType) -> Consumer:
        if authorization is None or not authorization.startswith(_BEARER):
            raise UnknownToken
        asking = self._consumers.of_token(authorization.removeprefix(_BEARER))
        if purpose not in asking.purposes:
            facts = {"consumer": asking.name, "purpose": _name(purpose)}
            _log.warning("bodies were asked for without a right to", extra=facts)
            raise PurposeDenied
        return asking

    def _note_refused(
        self, asking: Consumer, purpose: UnsealPurpose.ValueType, outcome: str, counts: Mapping[str, int]
    ) -> None:
        """By hospital how many bodies were asked for that nobody gets."""
        for hospital, count in counts.items():
            self._bodies.labels(asking.name, _name(purpose), hospital, outcome).inc(count)
            facts = {"consumer": asking.name, "purpose": _name(purpose), "hospital": hospital, outcome: count}
            _log.warning(_REFUSED[outcome], extra=facts)

    def _note(
        self,
        asking: Consumer,
        purpose: UnsealPurpose.ValueType,
        events: Sequence[tuple[bytes, bytes]],
        openings: Sequence[Opening],
    ) -> None:
        """Who, what for, whose, how many: no id of a record, and nothing of what was read."""
        counts = Counter(
            (_hospital(envelope), _outcome(opening)) for (envelope, _), opening in zip(events, openings, strict=True)
        )
        for (hospital, outcome), count in counts.items():
            self._bodies.labels(asking.name, _name(purpose), hospital, outcome).inc(count)
        for hospital in sorted({hospital for hospital, _ in counts}):
            outcomes = {outcome: count for (of, outcome), count in counts.items() if of == hospital}
            facts = {"consumer": asking.name, "purpose": _name(purpose), "hospital": hospital, **outcomes}
            _log.info("bodies unsealed", extra=facts)


def _outcome(opening: Opening) -> str:
    match opening:
        case Opened():
            return "opened"
        case Destroyed():
            return "destroyed"
        case _:
            return "fault"


def _hospital(envelope: bytes) -> str:
    try:
        return hospital_of(decode(envelope).origin) or "unknown"
    except EnvelopeFault:
        return "unknown"


def _name(purpose: UnsealPurpose.ValueType) -> str:
    return UnsealPurpose.Name(purpose).removeprefix("UNSEAL_PURPOSE_").lower()
