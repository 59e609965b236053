"""The rules of one hospital as this process knows them, asked again before anything could go by old ones.

Packs and templates are never changed, only added: one that is known is right for ever, and one that is not known is
looked for in the rulebook before it is refused. Which pack new records get is asked for every registration, by which
calendar days are counted for every deadline that is shown or reported. Everything else goes by what was read within
the last second.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from uuid import UUID

from ledger.application.hospital_ledger import HospitalLedger
from ledger.application.reservation_keys import ReservationKeys
from ledger.application.stream_cache import Loaded
from ledger.domain.decision import LEDGER
from ledger.domain.hospital_rules import HospitalRules, ShippedRules
from ledger.domain.rulebook import RulebookState
from ledger.domain.state import StreamState
from ledger.store.reading import EventReader

_log = logging.getLogger(__name__)
FRESH_SECONDS = 1.0


class RulesInForce:
    """Reads the rulebook: one indexed read where nothing has changed, the new events where something has."""

    def __init__(
        self,
        ledger: HospitalLedger,
        reader: EventReader,
        keys: ReservationKeys,
        shipped: ShippedRules,
        hospitals_pack: str,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.shipped = shipped
        self._ledger = ledger
        self._reader = reader
        self._key = keys.key(LEDGER, ())
        self._hospitals_pack = hospitals_pack
        self._monotonic = monotonic
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()
        self._stream_id: UUID | None = None
        self.known = HospitalRules(shipped, hospitals_pack, None)
        """As last read."""

    async def now(self) -> HospitalRules:
        """The rules as the rulebook says now."""
        began = self._monotonic()
        loaded = await self.book()
        book = loaded.state if loaded else None
        if isinstance(book, RulebookState) and book.version > self.known.book.version:
            self.known = self._as_said_in(book)
        self._read_at = max(self._read_at, began)
        return self.known

    async def knowing(self, state: StreamState | None, templates: Iterable[tuple[str, int]] = ()) -> HospitalRules:
        """The rules, read again where they are a second old, or lack the pack of a stream or one of the templates."""
        if not self._fresh():
            # One reads for all: else every command under way would, once a second, at the same time.
            async with self._reading:
                rules = self.known if self._fresh() else await self.now()
        else:
            rules = self.known
        if rules.knows_pack_of(state) and all(rules.has_template(each) for each in templates):
            return rules
        return await self.now()

    def _fresh(self) -> bool:
        return self._monotonic() - self._read_at < FRESH_SECONDS

    def _as_said_in(self, book: RulebookState) -> HospitalRules:
        rules = HospitalRules(self.shipped, self._hospitals_pack, book)
        if rules.otherwise:
            told = {"hospital": self._ledger.hospital, "names": rules.otherwise}
            _log.warning("the release says otherwise than the rulebook, whose word counts", extra=told)
        return rules

    async def book(self) -> Loaded | None:
        """The rulebook's stream as it stands; None where nothing was written yet."""
        if self._stream_id is None:
            row = await self._reader.reservation(self._ledger.hospital, LEDGER, self._key)
            self._stream_id = row.stream_id if row else None
        return await self._ledger.load(self._stream_id) if self._stream_id else None
