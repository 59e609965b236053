"""Care is never blocked by an archive rule: each act, in each phase, under whatever lies over it, goes some way."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.domain.values import Phase
from tests.unit.domain.care_acts import ACTS, NOBODYS, OVERLAYS, PLACES, care_table, laid, place, way_taken

_DOCUMENT = Path(__file__).parents[3] / "docs" / "lifecycle.md"


@pytest.mark.parametrize("overlay", list(OVERLAYS))
@pytest.mark.parametrize("name", list(PLACES))
def test_every_act_of_care_has_a_way_that_works_at_once(name: str, overlay: str) -> None:
    """In the same second, by people who are there: no act waits for a hold, a seal, a term, a loan or a window."""
    at = laid(name, overlay)
    if at is None:
        return
    blocked = [act for act, (phases, _) in ACTS.items() if at.stream.record.phase in phases and not way_taken(act, at)]
    assert not blocked


def test_the_places_are_every_phase_that_is_somebodys() -> None:
    """None is left out; what is nobody's case takes no care, which has another record."""
    assert {place(name).stream.record.phase for name in PLACES} == set(Phase) - NOBODYS


@pytest.mark.parametrize("overlay", list(OVERLAYS))
def test_each_overlay_lies_over_some_phase(overlay: str) -> None:
    """An overlay that no record takes would show nothing."""
    assert any(laid(name, overlay) for name in PLACES)


def test_the_document_shows_the_ways() -> None:
    """Paste what `python -m tests.unit.domain.care_acts` prints where this fails."""
    document = _DOCUMENT.read_text(encoding="utf-8")
    shown = document.partition("<!-- care: begin -->\n")[2].partition("<!-- care: end -->")[0]
    assert shown == care_table()
