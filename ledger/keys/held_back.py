"""Ledgers whose bodies are not opened for now: they were put back with keys that may be older than a destruction.

A record that was destroyed must not be read again because a backup of its key came back, so who cannot tell opens
nothing. It ends by itself once the ledger is refilled and was read for destructions, or by the word of two persons.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

import psycopg

from ledger.keys.errors import KeysHeldBack
from ledger.keys.origin import hospital_of
from ledger.store.connections import ConnectionPool
from ledger.trust.lineage import first_of
from ledger.views.statements import templates

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Held:
    """Positions of a log in which a record may have been destroyed, of which nothing is left to say so."""

    origin: str
    first: int
    upto: int


class HeldBack:
    """Asked before a body is opened. Raises StoreUnavailable."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool
        self._free: set[str] = set()
        """Ledgers that are not held back. A restore holds back in a cluster that nobody serves, and whoever holds back
        while it serves looks for destructions itself, as each process does."""
        self._said: set[str] = set()

    async def refuse(self, origins: Collection[str]) -> None:
        """Raises KeysHeldBack where one of these ledgers, by their first origins, is held back."""
        if self._free.issuperset(origins):
            return
        held = await self.held(origins)
        if not held:
            self._free.update(origins)
            return
        for each in held:
            if each.origin not in self._said:
                _log.warning("records are held back", extra={"origin": each.origin, "upto": each.upto})
            self._said.add(each.origin)
        also = {hospital_of(each.origin) for each in held}
        raise KeysHeldBack(hospital_of(held[0].origin), held[0].first, held[0].upto, also)

    async def held(self, origins: Collection[str]) -> list[Held]:
        """What is held back of these ledgers, by their first origins."""
        try:
            rows: list[tuple[Any, ...]] = await self._pool.rows(_sql("held"), (list(origins),))
        except psycopg.errors.UndefinedTable:
            return []  # a registry from before there was one, into which nothing can have been put back so
        return [Held(*row) for row in rows]

    async def hold(self, origin: str, position: int) -> None:
        """Holds a ledger's records back, by its present origin, until it is read for destructions up to a position."""
        await self._pool.rows(_sql("hold"), (origin, position, position))
        self._free.discard(first_of(origin))

    async def release(self, origin: str, at: datetime, by: Sequence[UUID], reason: str) -> list[Held]:
        """Lets the records of a ledger be read by the word of two persons, which stays; what was held back."""
        released = [Held(*row) for row in await self._pool.rows(_sql("release"), (origin, at, list(by), reason))]
        for each in released:
            facts = {"origin": each.origin, "by": [str(person) for person in by], "reason": reason}
            _log.warning("records that were held back are read again", extra=facts)
        return released


@cache
def _sql(name: str) -> bytes:
    return templates("ledger.keys", "held_back")[name].encode()
