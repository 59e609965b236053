"""A witness that says that it knows more: believed where a published head may be meant, else passed over loudly."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from prometheus_client import REGISTRY

from ledger.integrator.checkpoint_publishing import CheckpointPublishing
from ledger.integrator.cosigning import Cosigning
from ledger.integrator.rollback import LedgerRolledBack
from ledger.integrator.signed_log import SignedLog
from ledger.trust.policy_file import parse_policy
from ledger.trust.witness_request import parse_add_checkpoint
from tests.fault.test_integration_step import EVENTS, files_in
from tests.unit.trust.tlog_samples import LOG, ORIGIN, WITNESSES

HOSPITAL = "north"
TWO, ALL, ANY, NONE = "group ours 2 w1 w2 w3", "group ours all w1 w2 w3", "group ours any w1 w2 w3", ""


def answer(request: httpx.Request, manners: str) -> httpx.Response:
    """Witness wN at http://wN/: the N-th letter of `manners` says what it does."""
    at = int(request.url.host.removeprefix("w")) - 1
    match manners[at]:
        case "c":
            text = parse_add_checkpoint(request.content).note.text
            return httpx.Response(200, text=WITNESSES[at].cosign(text, 1_800_000_000).line())
        case "a":
            return httpx.Response(409, text="4711\n")
        case "f":
            return httpx.Response(422)
        case _:
            return httpx.Response(503)


@asynccontextmanager
async def publishing(
    folder: Path, group: str, manners: list[str]
) -> AsyncGenerator[tuple[CheckpointPublishing, SignedLog]]:
    """A log of ten events, signed, before witnesses of these manners; those appended later hold from then on."""
    log = SignedLog(files_in(folder), ORIGIN, LOG)
    log.take(EVENTS[:10])
    log.sign()
    lines = [f"witness w{at} {each.verifier()} http://w{at}/" for at, each in enumerate(WITNESSES, 1)]
    policy = parse_policy("\n".join([*lines, *([group, "quorum ours"] if group else ["quorum none"]), ""]).encode())
    transport = httpx.MockTransport(lambda request: answer(request, manners[-1]))
    async with httpx.AsyncClient(transport=transport) as http:
        yield CheckpointPublishing(HOSPITAL, log, Cosigning(policy, log.verifier, http), 1.0), log


def contradicts(witness: int) -> float | None:
    labels = {"hospital": HOSPITAL, "witness": WITNESSES[witness - 1].name}
    return REGISTRY.get_sample_value("ledger_witness_contradicts", labels)


@pytest.mark.parametrize(
    ("group", "manners"),
    [
        (TWO, "aac"),  # a quorum says so
        (TWO, "a.c"),  # with the one that is away it may have been a quorum
        (TWO, "f.c"),
        (TWO, "f.."),
        (ANY, "acc"),  # any one witness was a quorum
        (NONE, "ccf"),  # nothing was needed to publish
    ],
)
async def test_what_may_be_true_of_a_published_head_stops_the_log(tmp_path: Path, group: str, manners: str) -> None:
    """Those that did not cosign could have been a quorum without any that did: what was published may be lost."""
    async with publishing(tmp_path, group, [manners]) as (rounds, log):
        with pytest.raises(LedgerRolledBack, match="witness"):
            await rounds.compare_with_witnesses()
        assert not log.is_published


@pytest.mark.parametrize("first", ["acc", "fcc"])
async def test_one_that_is_outvoted_is_passed_over_and_said_loudly(
    tmp_path: Path, first: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Every quorum that ever published has a witness that vouches for this head: it is published; log and metric tell.

    It is said once, and taken back when that witness cosigns again.
    """
    manners = [first]
    async with publishing(tmp_path, TWO, manners) as (rounds, log):
        await rounds.compare_with_witnesses()
        await rounds.compare_with_witnesses()
        assert (log.published_size, contradicts(1)) == (10, 1.0)
        said = [each for each in caplog.records if "contradicts" in each.message]
        assert [(each.levelname, list(vars(each)["witnesses"])) for each in said] == [("ERROR", [WITNESSES[0].name])]
        manners.append("ccc")
        await rounds.compare_with_witnesses()
        assert contradicts(1) == 0.0


async def test_without_a_quorum_an_outvoted_one_stops_nothing(tmp_path: Path) -> None:
    """All three must cosign, two do: no head was ever published without them. Nothing is published or stops."""
    async with publishing(tmp_path, ALL, ["acc"]) as (rounds, log):
        await rounds.compare_with_witnesses()
        assert not log.is_published
        assert contradicts(1) == 1.0
