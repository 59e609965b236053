"""Random walks through a record's life: a move is data, and becomes a command by what the record holds then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from hypothesis import strategies as st

from ledger.domain.commands import (
    AmendEntry,
    AnswerConsultation,
    ArchiveRecord,
    Command,
    EndCare,
    PassQuality,
    RecordEntry,
    RequestConsultation,
    RetractEntry,
    ReturnRecord,
    StartCare,
    SubmitRecord,
    TransferDepartment,
)
from ledger.domain.decision import Facts
from ledger.domain.state import RecordState
from ledger.domain.transfer_commands import OfferTransfer, RecordTransferAnswer, WithdrawTransfer
from ledger.domain.values import (
    AmendmentKind,
    Attestation,
    Defect,
    Disposition,
    EntryContent,
    TransferAnswer,
    TransferKind,
    Urgency,
)
from tests.unit.domain.given import (
    DEFECTS_FOUND,
    MANDATORY,
    NOW,
    PACKAGE,
    PHYSICIAN,
    RECORD,
    RESULT,
    TRAINEE,
    facts,
    narrative,
    note,
    signed,
)

_NOBODY = UUID(int=9)
_CONTENTS = (*MANDATORY, RESULT, note("Second look."))
_DEPARTMENTS = ("cardiology", "neurology", "icu")
_HOSPITALS = ("south", "west")


@dataclass(frozen=True)
class Move:
    """One step of a walk."""

    kind: str
    pick: int
    """Chooses among what the record holds, and among variants."""
    trainee: bool
    minutes: int
    """Since the move before."""


def _entry(state: RecordState, pick: int) -> UUID:
    ids = list(state.entries)
    return ids[pick % len(ids)] if ids else _NOBODY


def _transfer(state: RecordState, pick: int) -> UUID:
    ids = list(state.transfers)
    return ids[pick % len(ids)] if ids else _NOBODY


def _counterpart(state: RecordState, pick: int) -> str:
    transfer = state.transfers.get(_transfer(state, pick))
    return transfer.counterpart if transfer else "south"


def _consultation(state: RecordState, pick: int) -> UUID:
    ids = list(state.consultations)
    return ids[pick % len(ids)] if ids else _NOBODY


def _amended(state: RecordState, pick: int) -> EntryContent:
    """Other words under the same template; another one where there is no such entry."""
    entry = state.entries.get(_entry(state, pick))
    return note("Amended.") if entry is None else replace(entry.last.content, title=f"Amended {pick}")


_MADE: dict[str, Callable[[RecordState, Move], Command]] = {
    "start": lambda state, move: StartCare(RECORD, state.department, "1", PHYSICIAN, ""),
    "record": lambda state, move: RecordEntry(RECORD, _CONTENTS[move.pick % len(_CONTENTS)], _signed(move)),
    "amend": lambda state, move: AmendEntry(
        RECORD,
        _entry(state, move.pick),
        list(AmendmentKind)[move.pick % 3],
        "checked",
        _amended(state, move.pick),
        _signed(move),
    ),
    "retract": lambda state, move: RetractEntry(RECORD, _entry(state, move.pick), "wrong patient"),
    "ask": lambda state, move: RequestConsultation(RECORD, _DEPARTMENTS[move.pick % 3], Urgency.ROUTINE, "Why?"),
    "answer": lambda state, move: AnswerConsultation(
        RECORD, _consultation(state, move.pick), "So.", narrative("consultation", "opinion"), _signed(move)
    ),
    "move": lambda state, move: TransferDepartment(RECORD, _DEPARTMENTS[move.pick % 3], "2", None, PHYSICIAN),
    "end": lambda state, move: EndCare(RECORD, list(Disposition)[move.pick % 5], None),
    "submit": lambda state, move: SubmitRecord(RECORD),
    "return": lambda state, move: ReturnRecord(RECORD, (Defect("LANGUAGE"),)),
    "pass": lambda state, move: PassQuality(RECORD, 0, DEFECTS_FOUND[move.pick % 4]),
    "archive": lambda state, move: ArchiveRecord(RECORD),
    "offer": lambda state, move: OfferTransfer(RECORD, _HOSPITALS[move.pick % 2], TransferKind.REFERRAL, None),
    "withdraw": lambda state, move: WithdrawTransfer(RECORD, _transfer(state, move.pick), "went home"),
    "hear": lambda state, move: RecordTransferAnswer(
        RECORD,
        _transfer(state, move.pick),
        _counterpart(state, move.pick),
        list(TransferAnswer)[move.pick // 7 % 3],
        "CODE",
        "",
    ),
}


def _signed(move: Move) -> Attestation:
    return signed(TRAINEE if move.trainee else PHYSICIAN)


def command_of(state: RecordState, move: Move) -> Command:
    """The command that the move is now."""
    return _MADE[move.kind](state, move)


def facts_of(number: int, minutes: int) -> Facts:
    """Facts of the move with this number, some minutes after the walk began."""
    return facts(
        first_id=10_000 + 100 * number,
        now=NOW + timedelta(minutes=minutes),
        counterpart_known=True,
        package=PACKAGE,
    )


def walks(length_max: int = 40) -> st.SearchStrategy[list[Move]]:
    """Walks of a record that is registered; a proper beginning is likely, so that later phases are reached."""
    move = st.builds(
        Move,
        kind=st.sampled_from(sorted(_MADE)),
        pick=st.integers(0, 200),
        trainee=st.sampled_from([False, False, False, True]),
        minutes=st.integers(0, 100_000),
    )
    start: list[Move] = [Move("start", 0, trainee=False, minutes=1)]
    written = [Move("record", pick, trainee=False, minutes=1) for pick in range(len(MANDATORY))]
    handed_in = [Move("end", 0, trainee=False, minutes=1), Move("submit", 0, trainee=False, minutes=1)]
    passed = [Move("pass", 90, trainee=False, minutes=1), Move("archive", 0, trainee=False, minutes=1)]
    beginnings = st.sampled_from(
        [
            [],
            start,
            [*start, *written],
            [*start, *written, *handed_in],
            [*start, *written, *handed_in, passed[0]],
            [*start, *written, *handed_in, *passed],
        ]
    )
    return st.tuples(beginnings, st.lists(move, max_size=length_max)).map(lambda parts: parts[0] + parts[1])
