"""Rule packs: figures on which sources and institutions disagree, as versioned data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from ledger.domain.code_tables import NamedTable, named_tables
from ledger.domain.deadline_rules import DeadlineRules
from ledger.domain.keeping_terms import KeepingTerms
from ledger.domain.mandatory_entries import MandatoryRule, mandatory_rules
from ledger.domain.quality_rules import QualityRules
from ledger.domain.values import VisitType


class BadRulePack(ValueError):
    """The rule pack cannot be used."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("; ".join((str(BadRulePack.__doc__), *faults)))
        self.faults = faults


@dataclass(frozen=True)
class RetentionClass:
    """How long records of a class are kept, in whole calendar years."""

    name: str
    years: int

    def until(self, ended_on: date) -> date:
        """First day on which disposal could be appraised: the anniversary; 1 March where it would be 29 February."""
        try:
            return ended_on.replace(year=ended_on.year + self.years)
        except ValueError:
            return ended_on.replace(year=ended_on.year + self.years, day=28) + timedelta(days=1)


@dataclass(frozen=True)
class RulePack:
    """One version of a hospital's rules. A record keeps the version with which it was registered."""

    id: str
    version: int
    retention: Mapping[VisitType, RetentionClass]
    mandatory: tuple[MandatoryRule, ...]
    """Templates of which a record must hold a signed entry before it is submitted."""
    ahead_max: timedelta
    """How far `occurred_at` may lie ahead of the ledger's clock."""
    offer_days: int
    """Days after which an offer to another hospital ends, where the command names no time."""
    keeping: KeepingTerms
    deadlines: DeadlineRules
    final_signers: Mapping[str, frozenset[str]]
    """Roles whose signature makes an entry of a template final; `*` stands for every template that is not named."""
    quality: QualityRules
    code_tables: tuple[NamedTable, ...] = ()
    """Tables of the hospital's own, beside ICD-10 of the WHO."""

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> RulePack:
        """The pack in this data. Raises BadRulePack with every fault."""
        faults: list[str] = []
        retention = _retention(data.get("retention", {}), faults)
        pack = cls(
            id=_text(data, "id", faults),
            version=_count(data, "version", faults),
            retention=retention,
            mandatory=mandatory_rules(data.get("mandatory", []), faults),
            ahead_max=timedelta(seconds=_count(data, "ahead_seconds_max", faults)),
            offer_days=_count(data, "offer_days", faults),
            keeping=KeepingTerms.from_data(data.get("keeping", {}), faults),
            deadlines=DeadlineRules.from_data(data, faults),
            final_signers={name: frozenset(roles) for name, roles in data.get("final_signers", {}).items()},
            quality=QualityRules.from_data(data, faults),
            code_tables=named_tables(data.get("code_table", []), faults),
        )
        if faults:
            raise BadRulePack(tuple(faults))
        return pack

    def signs_finally(self, template: str, role: str) -> bool:
        """Whether the signature of this role makes an entry of the template final."""
        return role in self.final_signers.get(template, self.final_signers.get("*", frozenset()))


def _retention(data: Mapping[str, Any], faults: list[str]) -> dict[VisitType, RetentionClass]:
    classes: dict[VisitType, RetentionClass] = {}
    for name, figures in data.items():
        if _is_visit_type(name, "retention", faults):
            years = _count(figures, "years", faults, f"retention.{name}.")
            classes[VisitType(name)] = RetentionClass(_text(figures, "class", faults, f"retention.{name}."), years)
    faults += [f"retention.{each}: missing" for each in VisitType if each not in data]
    return classes


def _is_visit_type(name: str, where: str, faults: list[str]) -> bool:
    known = name in VisitType.__members__
    if not known:
        faults.append(f"{where}.{name}: no such visit type")
    return known


def _text(data: Mapping[str, Any], name: str, faults: list[str], where: str = "") -> str:
    value = data.get(name)
    if not isinstance(value, str) or not value:
        faults.append(f"{where}{name}: a text is required")
        return ""
    return value


def _count(data: Mapping[str, Any], name: str, faults: list[str], where: str = "") -> int:
    value = data.get(name)
    if not isinstance(value, int) or value < 1:
        faults.append(f"{where}{name}: a whole number from 1 is required")
        return 1
    return value
