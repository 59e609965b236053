"""What the integrator makes of a witness's answers: it takes only what is signed, and waits for nobody for long."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from ledger.integrator.witness_client import (
    ANSWER_BYTES_MAX,
    Ahead,
    Answer,
    Cosigned,
    Forked,
    NotCosigned,
    WitnessClient,
)
from ledger.trust.checkpoint import parse_checkpoint
from ledger.trust.policy import Peer
from ledger.trust.witness_request import parse_add_checkpoint
from tests.unit.consumers.test_checkpoints import prove
from tests.unit.trust.tlog_samples import WITNESSES, signed

KEY, OTHER = WITNESSES[0], WITNESSES[1]
NOTE = signed(20)
Respond = Callable[[httpx.Request], httpx.Response]


async def asked(respond: Respond) -> Answer:
    async with httpx.AsyncClient(transport=httpx.MockTransport(respond)) as http:
        client = WitnessClient(Peer(KEY.verifier(), "http://witness.example/"), http)
        return await client.ask(NOTE, parse_checkpoint(NOTE.text), prove)


async def test_it_goes_on_from_the_size_that_the_witness_knows() -> None:
    """A conflict names the size; the next request proves from there and is cosigned."""
    sizes: list[int] = []

    def respond(request: httpx.Request) -> httpx.Response:
        assert str(request.url) == "http://witness.example/add-checkpoint"
        sizes.append(parse_add_checkpoint(request.content).old_size)
        if sizes[-1] != 7:
            return httpx.Response(409, text="7\n")
        return httpx.Response(200, text=KEY.cosign(NOTE.text, 5).line())

    assert await asked(respond) == Cosigned(KEY.cosign(NOTE.text, 5))
    assert sizes == [0, 7]


async def test_a_witness_that_knows_more_is_heard() -> None:
    """A larger size than ours is no conflict to be talked away."""
    assert await asked(lambda _: httpx.Response(409, text="21\n")) == Ahead(21)


async def test_a_witness_of_another_tree_is_heard() -> None:
    """A proof that it refuses, or our own size with another root, is a fork, and no witness that is merely away."""
    assert await asked(lambda _: httpx.Response(422)) == Forked()
    assert await asked(lambda _: httpx.Response(409, text="20\n")) == Forked()


@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(200, text=""),
        httpx.Response(200, text="no signature\n"),
        httpx.Response(200, text=OTHER.cosign(NOTE.text, 5).line()),
        httpx.Response(200, text=KEY.cosign(signed(19).text, 5).line()),
        httpx.Response(200, content=b"\xff\xfe\n"),
        httpx.Response(200, content=bytes(ANSWER_BYTES_MAX + 1)),
        httpx.Response(409, text="seven\n"),
        httpx.Response(409, text="-1\n"),
        httpx.Response(302, headers={"location": "http://elsewhere.example/"}),
        httpx.Response(500),
    ],
)
async def test_what_is_no_cosignature_counts_for_nothing(response: httpx.Response) -> None:
    """Another key, another head, garbage, too much, a redirection, a refusal: not cosigned, and why."""
    answer = await asked(
        lambda _: httpx.Response(response.status_code, content=response.content, headers=response.headers)
    )
    assert isinstance(answer, NotCosigned)
    assert answer.why


async def test_a_witness_whose_size_changes_with_every_answer_is_left() -> None:
    """Three requests, then it is enough."""
    count = 0

    def respond(_: httpx.Request) -> httpx.Response:
        nonlocal count
        count += 1
        return httpx.Response(409, text=f"{count}\n")

    assert isinstance(await asked(respond), NotCosigned)
    assert count == 3


async def test_a_witness_that_is_away_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens, or the answer never comes: within the limit, with the reason."""

    def refuse(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    assert await asked(refuse) == NotCosigned("ConnectError")
    monkeypatch.setattr("ledger.integrator.witness_client.ANSWER_SECONDS_MAX", 0.0)
    assert isinstance(await asked(lambda _: httpx.Response(409, text="7\n")), NotCosigned)
