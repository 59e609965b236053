"""The stream is carried by something else from now on: a view is built anew from it, loudly, and nothing doubled."""

import logging
from dataclasses import replace

import pytest

from projections.digests import content_digest, view_digest
from projections.views import ALL
from tests.contract.views.conftest import Published
from tests.contract.views.follow_stream import all_handled, append_history, recomputed, running


async def test_a_view_of_the_log_is_built_anew_on_kafka_and_back(
    on_kafka: Published, caplog: pytest.LogCaptureFixture
) -> None:
    """One partition becomes three, and one again: each event is handled once, and the rows are those of before."""
    on_log = replace(on_kafka, settings=replace(on_kafka.settings, stream="postgres"))
    async with running(on_log):
        append_history(on_log, 5)
        await all_handled(on_log)
    rows = [await content_digest(on_log.ground.pool, on_log.hospital, view) for view in ALL]
    with caplog.at_level(logging.WARNING, "projections"):
        for carrier in (on_kafka, on_log):
            async with running(carrier):
                await all_handled(carrier)
                assert [await content_digest(carrier.ground.pool, carrier.hospital, view) for view in ALL] == rows
                append_history(carrier, 1)
                await all_handled(carrier)
            for view in ALL:
                handled = await view_digest(carrier.ground.pool, carrier.hospital, view)
                assert {number: each.digest for number, each in handled.items() if each.events} == recomputed(carrier)
            rows = [await content_digest(carrier.ground.pool, carrier.hospital, view) for view in ALL]
    said = [record for record in caplog.records if record.message.startswith("view is built anew")]
    assert len(said) == 2 * len(ALL)
