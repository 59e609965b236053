"""The archive office rebuilds every published map and says which is wrong."""

from __future__ import annotations

import pytest

from consumers.archive_office.map_monitor import judged_maps
from ledger.trust.format_fault import AuditFault
from ledger.trust.map_audit import MapAudit, MapRefusal, RefusedMap, parse_map_audit, parse_refused_map
from ledger.trust.map_published import read_map_published
from ledger.trust.map_tree import MapTree
from ledger.trust.record_map import MAP_PUBLISHED, MapRow, heads_of
from ledger.trust.verify import Row
from tests.unit.trust.sample_ledger import MAP_STREAM, SampleLedger, filled, record_id


def rows_of(ledger: SampleLedger) -> list[Row]:
    return [Row(each.index + 1, each.event.envelope, each.event.body) for each in ledger.events]


def two_maps() -> SampleLedger:
    ledger = filled(5, 20, sealed=False)
    ledger.publish_map()
    ledger.append(record_id(9))
    ledger.publish_map(size=20)
    ledger.append(record_id(1))
    ledger.publish_map()
    return ledger


def test_right_maps_hold() -> None:
    """Each published map, also one that speaks of an earlier position, is rebuilt to the same root and rows."""
    audits = audits_of(two_maps())
    assert [(each.index, each.published.size, each.published.rows, each.holds) for each in audits] == [
        (20, 20, 5, True), (22, 20, 5, True), (24, 24, 6, True),
    ]  # fmt: skip
    assert all(parse_map_audit(each.text()) == each for each in audits)


def test_a_wrong_map_is_named_and_the_next_one_is_judged_by_itself() -> None:
    """A map that hides an event, beside one that is right."""
    ledger = filled(5, 20, sealed=False)
    tree = MapTree()
    tree.put(heads_of(each.event.envelope for each in ledger.events).values())
    tree.put([MapRow(record_id(1), 3, bytes(32))])
    ledger.publish_map(tree)
    ledger.publish_map()
    wrong, right = audits_of(ledger)
    assert (wrong.holds, right.holds) == (False, True)
    assert wrong.published == read_map_published(ledger.events[20].event.body)
    assert wrong.rebuilt_root != wrong.published.root


def test_a_map_that_cannot_be_is_refused_and_the_next_one_judged() -> None:
    """Of more events than there were before it, or of fewer than the last one's; a body that is none, or unopened."""
    ledger = filled(5, 20, sealed=False)
    ledger.publish_map(ledger.map_tree(20), size=21)
    ledger.append(MAP_STREAM, MAP_PUBLISHED, b"nothing")
    ledger.publish_map()
    ledger.publish_map(ledger.map_tree(19), size=19)
    ledger.append(MAP_STREAM, MAP_PUBLISHED, b"sealed")
    ledger.append(record_id(2))
    ledger.publish_map()
    opened = {each.event.body: each.event.body for each in ledger.events if each.event.body != b"sealed"}
    judged = list(judged_maps(rows_of(ledger), lambda row: opened.get(row.body)))
    refused = {each.index: each.why for each in judged if isinstance(each, RefusedMap)}
    assert refused == {
        20: MapRefusal.IMPOSSIBLE, 21: MapRefusal.MALFORMED, 23: MapRefusal.IMPOSSIBLE, 24: MapRefusal.UNOPENED,
    }  # fmt: skip
    assert [each.index for each in judged if isinstance(each, MapAudit) and each.holds] == [22, 26]
    assert all(parse_refused_map(each.text()) == each for each in judged if isinstance(each, RefusedMap))


@pytest.mark.parametrize("text", ["", "ledger-map-refused@v1\n", "ledger-map-refused@v1\n\n-1\nBORED\n"])
def test_a_text_that_refuses_no_map_is_none(text: str) -> None:
    """Too short; an empty origin, an index and a reason that are none."""
    with pytest.raises(AuditFault):
        parse_refused_map(text)


def audits_of(ledger: SampleLedger) -> list[MapAudit]:
    return [each for each in judged_maps(rows_of(ledger)) if isinstance(each, MapAudit)]
