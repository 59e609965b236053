"""Entries about its patient that a record must hold before it is handed in: all of, one of, and only if it happened."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast

from ledger.domain.coded_field import CodedField, coded_field
from ledger.domain.deadline_rules import Calendar, DeadlineRule, DeadlineRules
from ledger.domain.pack_figures import Figure
from ledger.domain.patient_condition import conditions
from ledger.domain.state import RecordState
from ledger.domain.subjects import about
from ledger.domain.values import Disposition, VisitType

CONSULTATION = "consultation"
"""What asks for a note of each consultation: its own answer counts, whoever it is about."""

EACH_TIME: Mapping[str, Callable[[RecordState], list[datetime]]] = {
    "transfer": lambda record: [each.moved_at for each in record.moves],
    CONSULTATION: lambda record: [
        each.requested_at for each in record.consultations.values() if each.withdrawn_at is None
    ],
    "surgery": lambda record: _times_of(record, "operation_end"),
    "rescue": lambda record: _times_of(record, "rescue_order"),
}
"""What asks for an entry each time that it happened, and when it did."""

OF_CARE = "care_started"
"""The start of the deadlines that a stay can outlast."""

GRAVE = frozenset({"critical", "serious"})
"""Conditions of a patient who is watched by nurses hour by hour."""

CONDITIONS: Mapping[str, Callable[[RecordState], bool]] = {
    "death": lambda record: record.disposition is Disposition.DEATH,
    "survival": lambda record: record.disposition is not Disposition.DEATH,
    "grave": lambda record: any(code in GRAVE for _, code in conditions(record)),
    **{name: lambda record, times=times: bool(times(record)) for name, times in EACH_TIME.items()},
}
"""What a rule may depend on, by its name in a pack."""


@dataclass(frozen=True)
class ShortStay:
    """Templates that stand in the place of others where a stay lasted no longer than this."""

    longest: timedelta
    templates: frozenset[str]

    def out_of_place(self, record: RecordState) -> frozenset[str]:
        """Those of its templates that count for nothing in this record: its stay was longer."""
        if record.started_at is None or record.ended_at is None:
            return frozenset()
        return self.templates if record.ended_at - record.started_at > self.longest else frozenset()

    def not_yet_in_place(self, record: RecordState) -> frozenset[str]:
        """Those that keep no clock, either: while the stay goes on nobody knows that it will have been short."""
        return self.templates if record.ended_at is None else self.out_of_place(record)


@dataclass(frozen=True)
class Outlasted:
    """A deadline that begins with care, and that a stay must have outlasted for a rule to ask anything of it."""

    deadline: DeadlineRule
    calendar: Calendar

    def by(self, record: RecordState) -> bool:
        """Whether the stay went on after the deadline's last second; one that has not ended says nothing yet."""
        if record.started_at is None or record.ended_at is None:
            return False
        # As of the deadline itself: it holds AT its second, and is missed one second after.
        return record.ended_at.replace(microsecond=0) > self.deadline.due(record.started_at, self.calendar)


@dataclass(frozen=True)
class MandatoryRule:
    """Templates of which a record must hold a signed entry, in visits of these types and on this condition."""

    id: str
    visits: frozenset[VisitType]
    alternatives: tuple[tuple[str, ...], ...]
    """Any one of them will do, each as a whole."""
    only_if: str = ""
    """A name of CONDITIONS; empty = always."""
    only_if_past: Outlasted | None = None
    """The deadline that the stay must have outlasted, too; None = none."""
    care_here: bool = False
    """Asked only where care began here: what an earlier system gave is told in its own documents."""
    field: str = ""
    """An entry counts only where it holds a code in this field; empty = whatever it holds."""
    about: CodedField | None = None
    """Only entries that hold this are looked at: what a consent is to."""
    latest: CodedField | None = None
    """Of those that are looked at the last one counts, and only where it holds this: what was decided."""
    source: str = ""
    key: str = "all_of"
    """Where the pack lists the alternatives: `all_of` or `one_of`."""

    @property
    def templates(self) -> frozenset[str]:
        """Every template that it names."""
        return frozenset(template for each in self.alternatives for template in each)

    def applies_to(self, record: RecordState) -> bool:
        """Whether the record is asked for it."""
        if record.visit_type not in self.visits or (self.only_if and not CONDITIONS[self.only_if](record)):
            return False
        if self.care_here and record.care_historical:
            return False
        return self.only_if_past is None or self.only_if_past.by(record)

    def counted_by(self, calendar: Calendar) -> MandatoryRule:
        """The same rule, by another calendar."""
        past = self.only_if_past
        return replace(self, only_if_past=replace(past, calendar=calendar)) if past else self

    def times(self, record: RecordState) -> int:
        """How many entries of each template are asked for: a second operation needs a second record."""
        # One front page holds the codes of every operation.
        each_time = self.only_if in EACH_TIME and not self.field
        return max(1, len(self.happened(record))) if each_time else 1

    def happened(self, record: RecordState) -> list[datetime]:
        """When it happened what asks for an entry each time; nothing where the rule asks for one in all."""
        return EACH_TIME[self.only_if](record) if self.only_if in EACH_TIME else []

    def missing(self, present: frozenset[str]) -> tuple[str, ...]:
        """What the alternative lacks of which most is there, the first one if in doubt; nothing if one is whole."""
        lacking = [(each, _without(each, present)) for each in self.alternatives]
        return min(lacking, key=lambda pair: (bool(pair[1]), len(pair[1]) - len(pair[0])))[1]

    def described(self) -> str:
        """The alternatives in words."""
        listed = " or ".join(" and ".join(each) for each in self.alternatives)
        coded = f" with a code in {self.field}" if self.field else ""
        about = f" with {self.about.described()}" if self.about else ""
        return f"{listed}{coded}{about}{f', the last with {self.latest.described()}' if self.latest else ''}"


def short_stay(data: Mapping[str, Any], figures: Mapping[str, Figure], faults: list[str]) -> ShortStay | None:
    """The short stay of this pack, if it has one; what is wrong is added to the faults by name."""
    if "short_stay" not in data:
        return None
    table = data["short_stay"]
    templates: Any = cast("dict[str, Any]", table).get("templates") if isinstance(table, dict) else None
    if not _texts(templates):
        faults.append("short_stay.templates: a list of templates is required")
        templates = []
    return ShortStay(timedelta(hours=figures["short_stay"].figure), frozenset(templates))


def mandatory_rules(tables: object, deadlines: DeadlineRules, faults: list[str]) -> tuple[MandatoryRule, ...]:
    """The rules in this data, which may name these deadlines; what is wrong is added to the faults by name."""
    if not isinstance(tables, list):
        faults.append("mandatory: a list of tables is required")
        return ()
    found = tuple(_rule(index, table, deadlines, faults) for index, table in enumerate(cast("list[Any]", tables)))
    ids = [each.id for each in found]
    faults += [f"mandatory.{each}: stands twice" for each in sorted({each for each in ids if ids.count(each) > 1})]
    return found


def _rule(index: int, table: Any, deadlines: DeadlineRules, faults: list[str]) -> MandatoryRule:
    where = f"mandatory[{index}]"
    if not isinstance(table, dict):
        faults.append(f"{where}: a table is required")
        return MandatoryRule("", frozenset(), ((),))
    data = cast("Mapping[str, Any]", table)
    faults += [f"{where}.{name}: no such key" for name in data if name not in _KEYS]
    for name in ("id", "source"):
        if not isinstance(data.get(name), str) or not data[name]:
            faults.append(f"{where}.{name}: a text is required")
    only_if = data.get("only_if", "")
    if not isinstance(only_if, str) or (only_if and only_if not in CONDITIONS):
        only_if = ""
        faults.append(f"{where}.only_if: one of {', '.join(sorted(CONDITIONS))}")
    field = data.get("field", "")
    if not isinstance(field, str):
        field = ""
        faults.append(f"{where}.field: the code of a field is required")
    return MandatoryRule(
        id=str(data.get("id", "")),
        field=field,
        about=coded_field(where, data, "about", faults, dated=False),
        latest=coded_field(where, data, "latest", faults, dated=True),
        visits=frozenset(_visits(where, data.get("visits"), faults)),
        alternatives=_alternatives(where, data, faults),
        only_if=only_if,
        only_if_past=_outlasted(where, data.get("only_if_past", ""), deadlines, faults),
        care_here=_care_here(where, data.get("care_here", False), faults),
        source=str(data.get("source", "")),
        key="one_of" if "one_of" in data else "all_of",
    )


_KEYS = frozenset(
    {
        "id",
        "visits",
        "all_of",
        "one_of",
        "only_if",
        "only_if_past",
        "care_here",
        "field",
        "about",
        "latest",
        "source",
    }
)


def _care_here(where: str, value: Any, faults: list[str]) -> bool:
    if not isinstance(value, bool):
        faults.append(f"{where}.care_here: true or false is required")
    return value is True


def _outlasted(where: str, name: Any, deadlines: DeadlineRules, faults: list[str]) -> Outlasted | None:
    if name == "":
        return None
    found = next((each for each in deadlines.rules if each.id == name and each.start == OF_CARE), None)
    if found is None:
        faults.append(f"{where}.only_if_past: a deadline of this pack that starts with {OF_CARE} is required")
        return None
    return Outlasted(found, deadlines.calendar)


def _alternatives(where: str, data: Mapping[str, Any], faults: list[str]) -> tuple[tuple[str, ...], ...]:
    if ("all_of" in data) == ("one_of" in data):
        faults.append(f"{where}: either all_of or one_of is required")
        return ((),)
    name = "all_of" if "all_of" in data else "one_of"
    listed = [data["all_of"]] if name == "all_of" else data["one_of"]
    if not _texts_in_lists(listed):
        shape = "templates" if name == "all_of" else "lists of templates"
        faults.append(f"{where}.{name}: a list of {shape} is required")
        return ((),)
    return tuple(tuple(each) for each in listed)


def _texts_in_lists(listed: Any) -> bool:
    return isinstance(listed, list) and bool(cast("list[Any]", listed)) and all(map(_texts, cast("list[Any]", listed)))


def _texts(names: Any) -> bool:
    return (
        isinstance(names, list)
        and bool(cast("list[Any]", names))
        and all(isinstance(each, str) for each in cast("list[Any]", names))
    )


def _visits(where: str, names: Any, faults: list[str]) -> Iterable[VisitType]:
    if not isinstance(names, list) or not names:
        faults.append(f"{where}.visits: visit types are required")
        return
    for name in cast("list[Any]", names):
        if isinstance(name, str) and name in VisitType.__members__:
            yield VisitType(name)
        else:
            faults.append(f"{where}.visits: no such visit type {name}")


def _without(templates: Sequence[str], present: frozenset[str]) -> tuple[str, ...]:
    return tuple(each for each in templates if each not in present)


def _times_of(record: RecordState, template: str) -> list[datetime]:
    # What was done to a newborn asks for no entry about the mother.
    entries = (each for each in about(record) if not each.retracted)
    return [each.happened_at for each in entries if each.last.content.template == template]
