"""The tamper matrix: each class of stored bytes and each change, on one state that the product itself has stored.

What each cell is to come to is declared in `tampering/declaration.py`, from which docs/tampering.md is made.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from random import Random

import psycopg
import pytest
from _pytest.mark import ParameterSet  # pytest exports none of the kind

from ledger.embedded.kafka import EmbeddedKafka
from ledger.embedded.postgres import EmbeddedPostgres
from tests.fault.tampering.changes import Change
from tests.fault.tampering.declaration import Cell, Thing, Verdict, cells, of_every_run
from tests.fault.tampering.media import Media
from tests.fault.tampering.medium import Baselines, Found, Medium, Tampering
from tests.fault.tampering.stored_state import build
from tests.services.postgres import lent_database
from tests.services.template import migrate_database

_CANNOT_SEE = ("cannot be said",)
_REFUSED_BY_DATABASE = (psycopg.IntegrityError, psycopg.DataError)


def _parameters() -> Iterator[ParameterSet]:
    for thing, change, cell in cells():
        marks = [] if of_every_run(thing, change) else [pytest.mark.long]
        yield pytest.param(thing, change, cell, id=f"{thing.name}, {change.value}", marks=marks)


@pytest.fixture(scope="module")
def media(
    postgres_server: EmbeddedPostgres,
    template_database: str,
    kafka_broker: EmbeddedKafka,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Media]:
    """One stored state for all cells; each puts back what it has changed."""
    for database in lent_database(postgres_server, template_database):
        migrate_database(database.url)
        stored = asyncio.run(build(database, kafka_broker.bootstrap, tmp_path_factory.mktemp("stored")))
        yield Media(stored)


@pytest.fixture(scope="module")
def baselines() -> Baselines:
    """What each checker says before anything is changed."""
    return Baselines()


@pytest.mark.parametrize(("thing", "change", "cell"), list(_parameters()))
def test_cell(media: Media, baselines: Baselines, thing: Thing, change: Change, cell: Cell) -> None:
    """Refused with its place, or nothing else is said than before: as the matrix declares it, at generated places."""
    medium = media.of(*thing.medium)
    before = baselines.of(medium)
    assert before.accepted, before.says
    tried = 0
    dice = Random(f"{thing.name} {change.name}")  # noqa: S311 - places, no secrets
    for tampering in medium.tamperings(change, dice):
        tried += 1
        try:
            with tampering.applied():
                found = medium.check()
        except _REFUSED_BY_DATABASE:
            continue  # PostgreSQL itself takes no such row, even from its owner
        _judge(medium, cell, tampering, before, found)
    assert tried, "the cell changes nothing"
    assert medium.check() == before, "what was changed is not put back"


def _judge(medium: Medium, cell: Cell, tampering: Tampering, before: Found, found: Found) -> None:
    said = f"{tampering.names}: {found.says}"
    match cell.verdict:
        case Verdict.REFUSED:
            assert not found.accepted, said
        case Verdict.UNCHANGED:
            assert found == before, said
        case Verdict.EITHER:
            assert not found.accepted or found == before, said
        case Verdict.LESS:
            assert not found.accepted or medium.says_no_more(before, found), said
        case _:
            assert found.accepted, said
            assert any(words in found.says for words in _CANNOT_SEE), said
    if not found.accepted:
        places = {place for name in tampering.names for place in medium.places(name)}
        assert any(place in found.says for place in places), f"{said}; none of {sorted(places)}"
