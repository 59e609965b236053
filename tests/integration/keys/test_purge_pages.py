"""The purge register, page by page."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from ledger.api.v1.purges_pb2 import ListPurgesRequest
from ledger.keys.purge_rows import PurgeRows, Statement
from ledger.server import page_token
from ledger.server.errors import ForeignPageToken
from ledger.server.purges import Purges
from tests.integration.keys.conftest import ORIGIN, KeyGround, stream

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


async def _origin_of(_hospital: str) -> str:
    return ORIGIN


def purges_of(ground: KeyGround) -> Purges:
    return Purges(rows_of(ground), _origin_of, ground.encryption().current, lambda: NOW)


def rows_of(ground: KeyGround) -> PurgeRows:
    return PurgeRows(ground.pool, ground.encryption().current)


async def test_no_record_is_lost_between_two_pages(ground: KeyGround) -> None:
    """All keys that one LogSucceeded gave up have its position: each is listed once, however the pages fall."""
    streams = [stream(number) for number in range(1, 8)]
    await ground.store().find_or_make(streams)
    for number, each in enumerate(streams):
        await rows_of(ground).erase(each, Statement(5 if number else 4, b"", b""), NOW, (), known=False)
    request, found = ListPurgesRequest(hospital="north", page_size=2), list[str]()
    while True:
        page = await purges_of(ground).list_purges(request)
        found += [each.record_id for each in page.purges]
        request.page_token = page.next_page_token
        if not page.next_page_token:
            break
    assert sorted(found) == sorted(str(UUID(bytes=stream_id)) for _, stream_id in streams)


@pytest.mark.parametrize("cursor", [b"5 no stream", b"no position", b"\xff"])
async def test_a_strange_token_is_refused(ground: KeyGround, cursor: bytes) -> None:
    """By name, and nothing is listed."""
    request = ListPurgesRequest(hospital="north")
    request.page_token = page_token.encode(request, cursor)
    with pytest.raises(ForeignPageToken):
        await purges_of(ground).list_purges(request)
