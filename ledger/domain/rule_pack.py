"""Rule packs: figures on which sources and institutions disagree, as versioned data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any, cast

from ledger.domain.code_tables import NamedTable, named_tables
from ledger.domain.deadline_rules import Calendar, DeadlineRules
from ledger.domain.keeping_terms import KeepingTerms, unknown_terms
from ledger.domain.mandatory_entries import MandatoryRule, ShortStay, mandatory_rules, short_stay
from ledger.domain.pack_figures import Figure, pack_figures
from ledger.domain.pack_late_items import late_beside_templates, late_item_templates
from ledger.domain.pack_layers import LAYERS, PACK_ID, VERSION_MAX
from ledger.domain.pack_move_note import MoveNoteRule, move_note_rule
from ledger.domain.pack_roles import ANY, RoleRule, role_rules
from ledger.domain.pack_sampling import sample_size
from ledger.domain.pack_short_path import SHORT_PATH, short_path
from ledger.domain.pack_transfer_note import TransferNoteRule, transfer_note_rule
from ledger.domain.quality_rules import QualityRules
from ledger.domain.quality_sample import SampleSize
from ledger.domain.state_retention import in_state
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
    until_age: int = 0
    """Age of the patient, in years, until which a record is kept in any case; 0 = no such rule."""

    def until(self, ended_on: date) -> date:
        """First day on which disposal could be appraised: the anniversary; 1 March where it would be 29 February."""
        return _anniversary(ended_on, self.years)

    def of_age(self, born_on: date) -> date:
        """The day on which somebody reaches the age."""
        return _anniversary(born_on, self.until_age)


def _anniversary(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28) + timedelta(days=1)


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
    arrival_back_max: timedelta
    """How far back a consultant's arrival may be said to lie without a reason."""
    offer_days: int
    """Days after which an offer to another hospital ends, where the command names no time."""
    keeping: KeepingTerms
    deadlines: DeadlineRules
    final_signers: Mapping[str, frozenset[str]]
    """Roles whose signature makes an entry of a template final; `*` stands for every template that is not named."""
    quality: QualityRules
    rule_keepers: frozenset[str]
    """Roles that add packs and templates and choose the hospital's pack."""
    figures: tuple[Figure, ...]
    """Every figure with its source."""
    lineage: frozenset[str]
    """Its own id and those of the packs that it is laid over: their templates are its own."""
    late_items: frozenset[str] = frozenset({"result"})
    """Templates of what may be filed late, without reopening."""
    late_beside: frozenset[str] = frozenset()
    """Templates of notes that a second person lets lie beside a hold or seal, while it bars a reopening."""
    roles: Mapping[str, RoleRule] = field(default_factory=dict[str, RoleRule])
    """Who may send a command, by `ROLES_OF`; one that is not named is not limited by role."""
    code_tables: tuple[NamedTable, ...] = ()
    """Tables of the hospital's own, beside ICD-10 of the WHO."""
    short_stay: ShortStay | None = None
    """How long a stay may be for its record of admission and discharge to replace others; None = nothing does."""
    short_path: frozenset[VisitType] = SHORT_PATH
    """Visits that are archived at the doctor's confirmation."""
    sampling: SampleSize | None = None
    """How many of what is archived on the short path is judged; None = it names no number."""
    transfer_note: TransferNoteRule | None = None
    """The note without which a patient is not transferred; None = none is asked for."""
    move_note: MoveNoteRule | None = None
    """The note without which a patient goes to no other department; None = none is asked for."""

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> RulePack:
        """The pack in this data. Raises BadRulePack with every fault."""
        faults: list[str] = []
        pack = cls.read(data, faults)
        if faults:
            raise BadRulePack(tuple(faults))
        return pack

    @classmethod
    def read(cls, data: Mapping[str, Any], faults: list[str]) -> RulePack:
        """The pack as far as it can be read; what is wrong is added to the faults by path."""
        faults += unknown_terms(data.get("keeping", {}))
        data = in_state(data, faults)
        figures = pack_figures(data, faults)
        pack_id = _id(data, faults)
        deadlines = DeadlineRules.from_data(data, faults)
        return cls(
            id=pack_id,
            version=_version(data, faults),
            retention=_retention(data.get("retention", {}), figures, faults),
            mandatory=mandatory_rules(data.get("mandatory", []), deadlines, faults),
            short_stay=short_stay(data, figures, faults),
            ahead_max=timedelta(seconds=figures["ahead_seconds_max"].figure),
            arrival_back_max=timedelta(minutes=figures["arrival_back_minutes_max"].figure),
            offer_days=figures["offer_days"].figure,
            keeping=KeepingTerms.of(figures),
            deadlines=deadlines,
            final_signers={name: frozenset(roles) for name, roles in data.get("final_signers", {}).items()},
            late_items=late_item_templates(data, faults),
            late_beside=late_beside_templates(data, faults),
            transfer_note=transfer_note_rule(data, faults),
            move_note=move_note_rule(data, faults),
            short_path=short_path(data, faults),
            sampling=sample_size(data, figures, faults),
            roles=role_rules(data.get("roles", {}), faults),
            quality=QualityRules.from_data(data, faults),
            code_tables=named_tables(data.get("code_table", []), faults),
            rule_keepers=_keepers(data.get("rule_keepers"), faults),
            figures=tuple(figures.values()),
            lineage=frozenset({pack_id, *(each.partition("@")[0] for each in data.get(LAYERS, ()))}),
        )

    def counted_by(self, calendar: Calendar) -> RulePack:
        """The same rules, their days counted by another calendar."""
        if calendar == self.deadlines.calendar:
            return self
        deadlines = replace(self.deadlines, calendar=calendar)
        return replace(self, deadlines=deadlines, mandatory=tuple(each.counted_by(calendar) for each in self.mandatory))

    def may(self, command: str, role: str) -> bool:
        """Whether the role may send the command of that name in `roles`."""
        return command not in self.roles or role in self.roles[command].roles

    def signs_finally(self, template: str, role: str) -> bool:
        """Whether the signature of this role makes an entry of the template final."""
        return role in self.final_signers.get(template, self.final_signers.get(ANY, frozenset()))

    def takes_charge(self, role: str) -> bool:
        """Whether somebody in this role may be in charge of a patient.

        Who signs finally what is named for no others, or a note with which a patient goes to another hospital.

        Of a pack that does not say so for every template, who signs any finally; anybody of one that names nobody.
        """
        anywhere = frozenset[str]().union(*self.final_signers.values())
        named = self.final_signers.get(ANY, anywhere)
        notes = self.transfer_note.templates if self.transfer_note else ()
        return not named or role in named.union(*(self.final_signers.get(each, frozenset()) for each in notes))


_RETENTION = frozenset({"class", "years", "until_age", "source", "unconfirmed"})


def _retention(
    data: Mapping[str, Any], figures: Mapping[str, Figure], faults: list[str]
) -> dict[VisitType, RetentionClass]:
    classes: dict[VisitType, RetentionClass] = {}
    for name, table in data.items():
        if name not in VisitType.__members__:
            faults.append(f"retention.{name}: no such visit type")
            continue
        faults += [f"retention.{name}.{key}: no such key" for key in table if key not in _RETENTION]
        found = table.get("class")
        if not isinstance(found, str) or not found:
            faults.append(f"retention.{name}.class: a text is required")
        age = figures.get(f"retention.{name}.until_age")
        years = figures[f"retention.{name}"].figure
        classes[VisitType(name)] = RetentionClass(str(found), years, age.figure if age else 0)
    faults += [f"retention.{each}: missing" for each in VisitType if each not in data]
    return classes


def _id(data: Mapping[str, Any], faults: list[str]) -> str:
    value = data.get("id")
    if not isinstance(value, str) or not PACK_ID.fullmatch(value):
        faults.append("id: a lower-case letter and up to 63 letters, digits and hyphens are required")
        return ""
    return value


def _version(data: Mapping[str, Any], faults: list[str]) -> int:
    value = data.get("version")
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= VERSION_MAX:
        faults.append(f"version: a whole number from 1 to {VERSION_MAX} is required")
        return 1
    return value


def _keepers(roles: Any, faults: list[str]) -> frozenset[str]:
    if not isinstance(roles, list) or not roles or not all(isinstance(each, str) for each in cast("list[Any]", roles)):
        faults.append("rule_keepers: a list of roles is required, else nobody could ever change the rules")
        return frozenset()
    return frozenset(cast("list[str]", roles))
