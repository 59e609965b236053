"""The integrator before its witnesses: a quorum publishes, less than one does not, and nothing else stops."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from ledger.integrator.log_keys import LogKeys
from ledger.log.log_files import LogFiles
from ledger.trust.checkpoint import parse_checkpoint
from ledger.trust.policy import Policy
from ledger.trust.policy_file import parse_policy
from tests.contract.stream.loaded_ledger import ORIGIN_PREFIX, LoadedLedger
from tests.eventually import eventually_async
from tests.integration.log.conftest import Integrating
from tests.integration.log.waiting import until_halted, until_published
from tests.services.witness import WitnessProcess


@pytest.fixture
def witnesses(tmp_path: Path, keys: LogKeys, ledger: LoadedLedger) -> Iterator[list[WitnessProcess]]:
    """Three witnesses of the hospital's log, which run."""
    log = keys.of(f"{ORIGIN_PREFIX}/{ledger.hospital}/1")[0].verifier()
    found = [WitnessProcess(tmp_path / f"w{at}", f"witness.test/w{at}", [log]) for at in (1, 2, 3)]
    for each in found:
        each.start()
    yield found
    for each in found:
        each.stop()


def two_of(witnesses: Sequence[WitnessProcess]) -> Policy:
    lines = [f"witness w{at} {each.key} {each.url}" for at, each in enumerate(witnesses, 1)]
    return parse_policy("\n".join([*lines, "group ours 2 w1 w2 w3", "quorum ours", ""]).encode())


def cosigners(files: LogFiles) -> set[str]:
    note = files.published()
    return {each.name for each in note.signatures} if note else set()


async def test_three_witnesses_cosign(
    ledger: LoadedLedger, files: LogFiles, integrating: Integrating, witnesses: list[WitnessProcess]
) -> None:
    """Every published head bears the log's signature and all three cosignatures, also after it has grown."""
    ledger.append(300)
    async with integrating(two_of(witnesses)):
        await until_published(files, 300)
        ledger.append(400)
        await until_published(files, 700)
        assert cosigners(files) == {f"{ORIGIN_PREFIX}/{ledger.hospital}/1", *(each.key.name for each in witnesses)}


async def test_one_away_is_no_matter_and_two_are(
    ledger: LoadedLedger, files: LogFiles, integrating: Integrating, witnesses: list[WitnessProcess]
) -> None:
    """Two of three publish. With one alone the log grows and is signed inside, the published head stays."""
    policy = two_of(witnesses)
    witnesses[0].kill()
    ledger.append(10)
    async with integrating(policy):
        await until_published(files, 10)
        assert len(cosigners(files)) == 3
        witnesses[1].kill()
        ledger.append(10)

        async def signed_inside() -> bool:
            note = files.signed()
            missing = REGISTRY.get_sample_value("ledger_quorum_missing", {"hospital": ledger.hospital})
            return note is not None and parse_checkpoint(note.text).size == 20 and missing == 1.0

        await eventually_async(signed_inside)
        published = files.published()
        assert published is not None
        assert parse_checkpoint(published.text).size == 10
        witnesses[0].start()
        await until_published(files, 20)


async def test_a_witness_that_knows_more_stops_the_log(
    ledger: LoadedLedger,
    files: LogFiles,
    integrating: Integrating,
    witnesses: list[WitnessProcess],
    tmp_path: Path,
) -> None:
    """Ledger and log were both put back to an older state: the witnesses know it, and nothing is signed."""
    policy = two_of(witnesses)
    ledger.append(10)
    async with integrating(policy):
        await until_published(files, 10)
    (tmp_path / "log").rename(tmp_path / "log-lost")
    ledger.cut(5)
    async with integrating(policy):
        await until_halted(files)
    note = files.signed()
    assert note is not None
    assert parse_checkpoint(note.text).size == 0
    assert "witness" in files.halted()


async def test_a_witness_of_another_history_stops_the_log(
    ledger: LoadedLedger,
    files: LogFiles,
    integrating: Integrating,
    witnesses: list[WitnessProcess],
    tmp_path: Path,
) -> None:
    """Ledger and log were put back and have grown beyond what the witnesses know, as another tree: that is a fork."""
    policy = two_of(witnesses)
    ledger.append(10)
    async with integrating(policy):
        await until_published(files, 10)
    (tmp_path / "log").rename(tmp_path / "log-lost")
    ledger.cut(5)
    ledger.append(20)
    async with integrating():
        await until_published(files, 25)
    async with integrating(policy):
        assert "another tree" in await until_halted(files)
