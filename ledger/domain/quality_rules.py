"""Quality items of a rule pack: what a defect is called, what it costs, and with how many points a record passes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, cast

from ledger.domain.values import Defect

POINTS_MAX = 1_000
"""Points that a full score or an item may have."""
_CODE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")


@dataclass(frozen=True)
class QualityItem:
    """One thing that quality control looks at; a defect names it by its code."""

    id: str
    """Code: upper-case letters, digits and underscores."""
    title: str
    title_zh: str
    group: str
    """What it belongs to, for example `admission` or `front_page`."""
    points: int
    """Points taken off for each defect."""
    veto: bool
    """One defect of it, and the record cannot pass whatever its score."""
    source: str
    unconfirmed: bool
    """Nobody has compared it with the source yet."""


@dataclass(frozen=True)
class QualityGrade:
    """A grade by score."""

    id: str
    title: str
    title_zh: str
    from_score: int
    """The least score of the grade."""
    source: str
    unconfirmed: bool


@dataclass(frozen=True)
class QualityRules:
    """How a record is scored: the full score less the points of every defect, never below 0."""

    full: int
    pass_from: int
    """The least score that passes."""
    source: str
    unconfirmed: bool
    items: Mapping[str, QualityItem]
    grades: tuple[QualityGrade, ...]
    """The best one first; the last one begins at 0."""

    def score(self, defects: Iterable[Defect]) -> int:
        """The score with these defects; one whose code is not known costs nothing, and is refused elsewhere."""
        lost = sum(self.items[each.code].points for each in defects if each.code in self.items)
        return max(0, self.full - lost)

    def grade(self, defects: Sequence[Defect]) -> str:
        """The grade with these defects; a veto leads to the lowest."""
        if any(self.vetoes(each) for each in defects):
            return self.grades[-1].id
        score = self.score(defects)
        return next(each.id for each in self.grades if score >= each.from_score)

    def vetoes(self, defect: Defect) -> bool:
        """Whether the record cannot pass with this defect."""
        return defect.code in self.items and self.items[defect.code].veto

    @classmethod
    def from_data(cls, data: Mapping[str, Any], faults: list[str]) -> QualityRules:
        """The rules in a pack's `quality`, `quality_item` and `quality_grade`; what is wrong is added to the faults."""
        table = cast("Mapping[str, Any]", data.get("quality", {}))
        known = {"full", "pass_from", "source", "unconfirmed"}
        faults += [f"quality.{name}: no such key" for name in table if name not in known]
        items = [_item(*each, faults) for each in _tables(data, "quality_item", faults)]
        grades = [_grade(*each, faults) for each in _tables(data, "quality_grade", faults)]
        for name, ids in (("item", [each.id for each in items]), ("grade", [each.id for each in grades])):
            faults += [f"quality_{name}: {each} stands twice" for each in sorted({i for i in ids if ids.count(i) > 1})]
        rules = cls(
            full=_points(table, "quality", "full", faults),
            pass_from=_points(table, "quality", "pass_from", faults),
            source=_text(table, "quality", "source", faults),
            unconfirmed=_flag(table, "quality", "unconfirmed", faults),
            items={each.id: each for each in items},
            grades=tuple(sorted(grades, key=lambda each: -each.from_score)),
        )
        faults += rules._disagreements()
        return rules

    def _disagreements(self) -> Iterable[str]:
        """What no single figure shows."""
        if self.pass_from > self.full:
            yield "quality.pass_from: at most the full score"
        if self.grades and self.grades[-1].from_score != 0:
            yield "quality_grade: the lowest grade begins at 0"
        if len({each.from_score for each in self.grades}) < len(self.grades):
            yield "quality_grade: two grades begin at the same score"


def _tables(data: Mapping[str, Any], name: str, faults: list[str]) -> list[tuple[str, Mapping[str, Any]]]:
    found = data.get(name, [])
    if not isinstance(found, list) or not found or not all(isinstance(each, dict) for each in cast("list[Any]", found)):
        faults.append(f"{name}: a list of tables is required")
        return []
    return [(f"{name}[{index}]", each) for index, each in enumerate(cast("list[Mapping[str, Any]]", found))]


def _item(where: str, data: Mapping[str, Any], faults: list[str]) -> QualityItem:
    _known_keys(where, data, QualityItem, faults)
    code = _text(data, where, "id", faults)
    if code and not _CODE.fullmatch(code):
        faults.append(f"{where}.id: upper-case letters, digits and underscores, at most 64")
    return QualityItem(
        id=code,
        title=_text(data, where, "title", faults),
        title_zh=_text(data, where, "title_zh", faults),
        group=_text(data, where, "group", faults),
        points=_points(data, where, "points", faults),
        veto=_flag(data, where, "veto", faults),
        source=_text(data, where, "source", faults),
        unconfirmed=_flag(data, where, "unconfirmed", faults),
    )


def _grade(where: str, data: Mapping[str, Any], faults: list[str]) -> QualityGrade:
    _known_keys(where, data, QualityGrade, faults)
    return QualityGrade(
        id=_text(data, where, "id", faults),
        title=_text(data, where, "title", faults),
        title_zh=_text(data, where, "title_zh", faults),
        from_score=_points(data, where, "from_score", faults, least=0),
        source=_text(data, where, "source", faults),
        unconfirmed=_flag(data, where, "unconfirmed", faults),
    )


def _known_keys(where: str, data: Mapping[str, Any], cls: type[Any], faults: list[str]) -> None:
    known = {each.name for each in fields(cls)}
    faults += [f"{where}.{name}: no such key" for name in data if name not in known]


def _text(data: Mapping[str, Any], where: str, name: str, faults: list[str]) -> str:
    value = data.get(name)
    if not isinstance(value, str) or not value:
        faults.append(f"{where}.{name}: a text is required")
        return ""
    return value


def _points(data: Mapping[str, Any], where: str, name: str, faults: list[str], least: int = 1) -> int:
    value = data.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= POINTS_MAX:
        faults.append(f"{where}.{name}: a whole number from {least} to {POINTS_MAX} is required")
        return least
    return value


def _flag(data: Mapping[str, Any], where: str, name: str, faults: list[str]) -> bool:
    value = data.get(name, False)
    if not isinstance(value, bool):
        faults.append(f"{where}.{name}: true or false is required")
    return value is True
