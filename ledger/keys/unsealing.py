"""Opens bodies for others: who asks is known, may ask for this, and is counted."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence

import prometheus_client
from prometheus_client import CollectorRegistry

from ledger.api.v1.keys_pb2 import UnsealPurpose
from ledger.keys.consumers_file import Consumer, Consumers
from ledger.keys.errors import HospitalDenied, PurposeDenied, UnknownToken
from ledger.keys.origin import hospital_of
from ledger.trust.envelope import decode
from ledger.trust.fault import EnvelopeFault
from ledger.trust.sealing import Destroyed, Opened, Opener, Opening

_log = logging.getLogger(__name__)
_BEARER = "Bearer "


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
        KeysUnavailable; one event of a hospital that is not the caller's refuses the whole batch.
        """
        asking = self._allowed(authorization, purpose)
        self._require_served(asking, purpose, events)
        openings = await self._opener.open(events)
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

    def _require_served(
        self, asking: Consumer, purpose: UnsealPurpose.ValueType, events: Sequence[tuple[bytes, bytes]]
    ) -> None:
        denied = Counter(of for of in (_hospital(envelope) for envelope, _ in events) if not asking.serves(of))
        for hospital, count in denied.items():
            self._bodies.labels(asking.name, _name(purpose), hospital, "denied").inc(count)
            facts = {"consumer": asking.name, "purpose": _name(purpose), "hospital": hospital, "denied": count}
            _log.warning("bodies were asked for without a right to", extra=facts)
        if denied:
            raise HospitalDenied(min(denied))

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
