"""Who says what of a patient: the desk before every source, then whoever spoke first; a blank says nothing.

Who says the same more closely does not contradict: a gender that is not unknown, the day of a month, the hour of a day.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace

from ledger.domain.stated_identifiers import Item
from ledger.domain.values import PatientDetails

DESK: Item = None
UNKNOWN = "unknown"
"""Gender of whom no better word is known."""
_DATES = frozenset({"birth_date", "deceased_at"})


@dataclass(frozen=True)
class Said:
    """What one of them says of a patient, beside the identifiers; empty = nothing."""

    name: str = ""
    birth_date: str = ""
    gender: str = ""
    deceased_at: str = ""


_FIELDS = tuple(each.name for each in fields(Said))


@dataclass(frozen=True)
class Displaced:
    """Words in whose place an item's word came, in an earlier release: they wait for that to be taken back."""

    by: Item
    name: str
    value: str
    """What came in their place."""
    said: Mapping[Item, str]
    struck: bool
    """The desk had struck that value out."""


@dataclass(frozen=True)
class StatedDetails:
    """What each item of a source and the desk say, whoever spoke first comes first."""

    said: Mapping[Item, Said] = field(default_factory=dict[Item, Said])
    struck: frozenset[tuple[str, str]] = frozenset()
    """Fields and values that the desk struck out: no source brings them back by saying the same again."""
    displaced: tuple[Displaced, ...] = ()
    """The oldest first; of each the words of those who have not spoken since."""


def said_in(details: PatientDetails) -> Said:
    """What a patient's data say."""
    return Said(details.name, details.birth_date, details.gender, details.deceased_at)


def in_force(stated: StatedDetails) -> Said:
    """Of each field the first that somebody says, or whoever says the same more closely."""
    return Said(*(_closest(stated, name) for name in _FIELDS))


def after_statement(stated: StatedDetails, item: Item, said: Said) -> StatedDetails:
    """The same once an item says this, and nothing else any more."""
    return _with(_forgotten(stated, item, *_FIELDS), item, said)


def after_amendment(stated: StatedDetails, item: Item, before: Said, after: Said) -> StatedDetails:
    """The same once other data are in force: what changed is the word of who changed it."""
    for name in _FIELDS:
        value = _of(after, name)
        if item is DESK and value != _of(before, name):
            stated = _by_desk(stated, name, value)
        # What the items' own words come to is nobody's new word; to an earlier release it was the first of them.
        elif item is not DESK and value not in (_closest(stated, name), _first(stated, name)):
            stated = _in_place_of_all(stated, item, name, value)
    return stated


def without_word(stated: StatedDetails, item: Item) -> StatedDetails:
    """The same once an item has never spoken: in whose place its word came, their words stand again."""
    stated = _forgotten(stated, item, *_FIELDS)
    stated = replace(stated, said={each: said for each, said in stated.said.items() if each != item})
    while waiting := [index for index, each in enumerate(stated.displaced) if each.by == item]:
        stated = _standing_again(stated, waiting[0])
    return stated


def _standing_again(stated: StatedDetails, index: int) -> StatedDetails:
    """The same without one displacement: its words go to the next one of the field, or are in force again."""
    gone, left = stated.displaced[index], [*stated.displaced[:index], *stated.displaced[index + 1 :]]
    following = next((at for at in range(index, len(left)) if left[at].name == gone.name), None)
    if gone.struck:
        stated = replace(stated, struck=stated.struck | {(gone.name, gone.value)})
    if following is None:
        for item, value in gone.said.items():
            stated = _with_value(stated, item, gone.name, value)
    else:
        left[following] = replace(left[following], said={**gone.said, **left[following].said})
    return replace(stated, displaced=tuple(left))


def differing(stated: StatedDetails) -> Iterator[tuple[Item, Said]]:
    """Who says something else than what is in force, and what they say; who only knows less says nothing else."""
    shown = in_force(stated)
    for item, said in stated.said.items():
        if any(_contradicts(name, _of(said, name), _of(shown, name)) for name in _FIELDS):
            yield item, said


def _contradicts(name: str, value: str, shown: str) -> bool:
    return value != shown and not _says_more(name, shown, value)


def _says_more(name: str, value: str, than: str) -> bool:
    """Whether a value says what the other says, and more."""
    if not value or value == than:
        return False
    if name == "gender" and than == UNKNOWN:
        return True
    return not than or (name in _DATES and value.startswith(than))


def _closest(stated: StatedDetails, name: str) -> str:
    shown = ""
    for _, value in _heard(stated, name):
        if _says_more(name, value, shown):
            shown = value
    return shown


def _first(stated: StatedDetails, name: str) -> str:
    return next((value for _, value in _heard(stated, name)), "")


def _heard(stated: StatedDetails, name: str) -> Iterator[tuple[Item, str]]:
    own = _of(stated.said.get(DESK, Said()), name)
    if own:
        yield DESK, own
    for item, said in stated.said.items():
        value = _of(said, name)
        if item is not DESK and value and (name, value) not in stated.struck:
            yield item, value


def _by_desk(stated: StatedDetails, name: str, value: str) -> StatedDetails:
    # Who is not dead is not dead again because the laboratory has not heard of it; nor is half a date whole again.
    waiting = {word for each in stated.displaced if each.name == name for word in each.said.values()}
    said = {_of(each, name) for each in stated.said.values()} | waiting
    struck = {(name, each) for each in said if _says_more(name, each, value)}
    stated = _with_value(_forgotten(stated, DESK, name), DESK, name, value)
    return replace(stated, struck=stated.struck | struck)


def _in_place_of_all(stated: StatedDetails, item: Item, name: str, value: str) -> StatedDetails:
    """An earlier release let a source's data take the place of everybody's, and so they did."""
    stated = _forgotten(stated, item, name)
    others = {each: _of(said, name) for each, said in stated.said.items() if each != item and _of(said, name)}
    struck = (name, value) in stated.struck
    if others or struck:
        displaced = Displaced(item, name, value, others, struck)
        stated = replace(stated, displaced=(*stated.displaced, displaced))
    for each in others:
        stated = _with_value(stated, each, name, "")
    return replace(_with_value(stated, item, name, value), struck=stated.struck - {(name, value)})


def _forgotten(stated: StatedDetails, item: Item, *fields_of: str) -> StatedDetails:
    """The same once what an item's displaced words of these fields said is nobody's any more: it speaks anew."""
    left = tuple(
        replace(each, said={other: word for other, word in each.said.items() if other != item})
        if each.name in fields_of and item in each.said
        else each
        for each in stated.displaced
    )
    return stated if left == stated.displaced else replace(stated, displaced=left)


def _with(stated: StatedDetails, item: Item, said: Said) -> StatedDetails:
    return stated if stated.said.get(item, Said()) == said else replace(stated, said={**stated.said, item: said})


def _with_value(stated: StatedDetails, item: Item, name: str, value: str) -> StatedDetails:
    return _with(stated, item, replace(stated.said.get(item, Said()), **{name: value}))


def _of(said: Said, name: str) -> str:
    value: str = getattr(said, name)
    return value
