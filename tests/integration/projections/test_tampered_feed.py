"""What a view was told otherwise than its events say is found by comparison, and healed by a rebuild."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import uuid4

import pytest

from ledger.trust.sealing import Opened
from ledger.views.view import View
from projections.checkpoint import Delivered
from projections.comparison import compare
from projections.digests import content_digest
from projections.rebuild import rebuild
from projections.views import ALL
from tests.contract.views import histories as h
from tests.contract.views.ground import PARTITIONS, Ground
from tests.contract.views.running import freshness, running, tools
from tests.services.sealed import plaintext_of

_SAID, _TOLD = b"SURG", b"XURG"
_SHOW_DEPARTMENTS = {"archive_register", "department_board", "patient_index", "worklist"}
_SHOW_LENGTHS = {"usage"}
"""Of the bodies as they are stored, which in the clear are shorter."""


@dataclass
class Lying(Ground):
    """The same events, whose bodies are not what was sealed: opened otherwise, or put there in the clear."""

    clear: bool = False

    def delivered(self, after: Mapping[int, int], partition: int) -> list[Delivered]:
        """As Ground says, but for what names the department."""
        return [self._changed(each) for each in super().delivered(after, partition)]

    def _changed(self, each: Delivered) -> Delivered:
        plaintext = plaintext_of(each.event.envelope, each.event.body).replace(_SAID, _TOLD)
        body = plaintext if self.clear else each.event.body
        return replace(each, event=replace(each.event, body=body, opening=Opened(plaintext)))


def _events() -> list[h.Sealed]:
    stream = h.EventStream()
    return [
        stream.seal(each) for each in (h.registered(_SAID.decode(), "C1"), h.care_started(), h.entry_recorded(uuid4()))
    ]


@pytest.mark.parametrize("clear", [False, True], ids=["opened otherwise", "in the clear"])
async def test_a_view_that_was_told_otherwise_is_found_and_healed(ground: Ground, *, clear: bool) -> None:
    """In each view whose rows show it, and in no other; afterwards its rows are those of an honest run."""
    head = ground.append(_events())
    lying = Lying(
        ground.database, ground.pool, ground.head, ground.hospital, ground.partitions, ground.appended, clear=clear
    )
    async with running(lying, *ALL):
        for view in ALL:
            await freshness(lying).wait("north", view.name, head)
    found = {view.name: await _differs(ground, view) for view in ALL}
    for view in ALL:
        told = await content_digest(ground.pool, "north", view)
        await rebuild(tools(ground), "north", PARTITIONS, view)
        assert (await content_digest(ground.pool, "north", view) != told) is found[view.name], view.name
        assert not await _differs(ground, view)
    assert {name for name, differs in found.items() if differs} == _SHOW_DEPARTMENTS | (
        _SHOW_LENGTHS if clear else set()
    )


async def _differs(ground: Ground, view: View) -> bool:
    return bool((await compare(tools(ground), "north", PARTITIONS, view)).differences)
