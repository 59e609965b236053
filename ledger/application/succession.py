"""Appends the event with which a log goes on for one that has ended."""

from __future__ import annotations

import os
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from ledger.application.hospital_ledger import HospitalLedger
from ledger.domain.decide_log import SucceedLog, succeed_log
from ledger.store.append import Append, Appended, Repeated
from ledger.store.committer import GroupCommitter

RPC = "ledger repair succeed"


class NotAppended(Exception):
    """The store did not take the succession."""


async def append_succession(
    ledger: HospitalLedger, committer: GroupCommitter, command: SucceedLog, now: datetime
) -> int:
    """The position of the LogSucceeded; the same succession again has the first one's.

    Raises Refused, NotAppended, and what the committer raises.
    """
    decision = succeed_log(command, UUID(bytes=os.urandom(16), version=4), now)
    prepared = await ledger.prepare(decision, None, now)
    content = sha256(f"{RPC}\n{command.last_checkpoint}{command.lost_from}".encode()).digest()
    append = Append(command.command_id, content, RPC, decision.stream_id, prepared.rows, result_version=1)
    match await committer.append(append):
        case Appended(first_position=position) | Repeated(first_position=position):
            return position
        case verdict:
            raise NotAppended(type(verdict).__name__)
