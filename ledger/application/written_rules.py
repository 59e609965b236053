"""Sees to it that what a hospital's records go by stands in its ledger before the first event that goes by it.

It costs no command anything but a look at what this process knows. What is missing is appended once, by a command of
the ledger itself: before a hospital's first record, and where a release brings templates that no entry has named yet.
"""

from __future__ import annotations

import asyncio
import os
from hashlib import sha256
from uuid import UUID

from ledger.application.asked_for import goes_by_rules
from ledger.application.errors import ClockOff, Contention, LedgerError
from ledger.application.hospital_ledger import HospitalLedger
from ledger.application.message_codec import time_of
from ledger.application.reservation_keys import ReservationKeys
from ledger.application.rules_in_force import RulesInForce
from ledger.application.stream_cache import Loaded
from ledger.clock import Clock
from ledger.domain.code_tables import CodeTables
from ledger.domain.commands import Command
from ledger.domain.decision import LEDGER, Claim, Decision
from ledger.domain.release_rules import LEDGER_ITSELF, release_rules, written_down
from ledger.domain.values import EventMeta
from ledger.store import append
from ledger.store.committer import GroupCommitter

RPC = "ledger rules of the release"
ATTEMPTS_MAX = 5


class WrittenRules:
    """Writes a hospital's rulebook where the release says what the ledger does not hold yet."""

    def __init__(
        self,
        ledger: HospitalLedger,
        rules: RulesInForce,
        committer: GroupCommitter,
        keys: ReservationKeys,
        clock_skew_us_max: int,
        clock: Clock,
    ) -> None:
        self._ledger = ledger
        self._rules = rules
        self._committer = committer
        self._keys = keys
        self._clock_skew_us_max = clock_skew_us_max
        self._clock = clock
        self._writing = asyncio.Lock()

    def lack(self, command: Command, tables: CodeTables) -> bool:
        """Whether the command goes by a pack, template or table that, as far as is known here, is not in the ledger."""
        return goes_by_rules(command) and not written_down(self._rules.known, tables)

    async def write(self, tables: CodeTables) -> None:
        """Appends what is missing, if it still is. Raises ClockOff, Contention, and what loading and appending raise.

        Nothing is lost where that fails half-way: it is one append, and the next such command begins anew.
        """
        failed: LedgerError = Contention(ATTEMPTS_MAX)
        async with self._writing:
            for _ in range(ATTEMPTS_MAX):
                verdict = await self._appended(await self._rules.book(), tables)
                if verdict is None or isinstance(verdict, append.Appended):
                    await self._rules.now()
                    return
                if isinstance(verdict, append.ClockSkew):
                    failed = ClockOff(time_of(verdict.database_now))
        raise failed

    async def _appended(self, book: Loaded | None, tables: CodeTables) -> append.Verdict | None:
        """None where nothing is missing."""
        now, command_id = self._clock(), _fresh_id()
        meta = EventMeta(LEDGER_ITSELF, now, command_id, purpose="RECORDMGT")
        events = tuple(release_rules(await self._rules.now(), tables, meta))
        if not events:
            return None
        # Of two servers that open the rulebook one gets the claim; the other finds everything there.
        claims = () if book else (Claim(LEDGER, ()),)
        decision = Decision(book.stream_id if book else _fresh_id(), LEDGER, events, claims)
        prepared = await self._ledger.prepare(decision, book, now)
        return await self._committer.append(
            append.Append(
                command_id=command_id,
                content=sha256(RPC.encode() + command_id.bytes).digest(),
                rpc=RPC,
                stream_id=decision.stream_id,
                events=prepared.rows,
                reservations=tuple(self._keys.stored(each, decision.stream_id) for each in claims),
                clock_skew_us_max=self._clock_skew_us_max,
                result_version=(book.version if book else 0) + len(events),
            )
        )


def _fresh_id() -> UUID:
    return UUID(bytes=os.urandom(16), version=4)
