"""South takes of north what north's log holds, by south's policy, and nothing after a fork until a person decided."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from consumers.waiting_room import LONGEST_WAIT
from ledger.api.v1 import common_pb2 as common
from ledger.api.v1.stream_pb2 import GetStatusRequest
from ledger.api.v1.stream_pb2_grpc import OperationsServiceStub
from ledger.cli.main import main
from tests.integration.consumers.hospitals import Hospitals
from tests.integration.consumers.norths_log import NorthsLog
from tests.services.key_service import token_file
from tests.unit.consumers.test_end_before_successor import other_events, served

_BY = ("--by", "7c9a1f52-0f6e-4d2b-8a3e-5b1c2d3e4f77,Ann Archer,archivist", "--reason", "both copies compared")
_TAKEN = ["PackageReceived", "PackageVerified", "PackageAccepted"]


@pytest.fixture
def log(hospitals: Hospitals, tmp_path: Path) -> Iterator[NorthsLog]:
    """Served while the test runs."""
    (tmp_path / "logs").mkdir()
    with served(tmp_path / "logs") as url:
        yield NorthsLog(hospitals, tmp_path / "logs", url)


async def _command(*arguments: str, token: Path | None = None) -> Result:
    environment = {"COLUMNS": "200", **({"LEDGER_UNSEAL_TOKEN_FILE": str(token)} if token else {})}
    return await asyncio.to_thread(CliRunner(env=environment).invoke, main, arguments)


async def _readers(hospitals: Hospitals) -> dict[tuple[str, str], str]:
    status = await OperationsServiceStub(hospitals.channel).GetStatus(GetStatusRequest())
    return {(each.hospital, reader.reader): reader.state for each in status.hospitals for reader in each.readers}


async def _offered(hospitals: Hospitals, number: int) -> str:
    """An offer that lies on south's topic, the so-manieth."""
    transfer_id = await hospitals.offer(await hospitals.record())
    await hospitals.arrives("south", number)
    return transfer_id


async def test_an_offer_waits_until_the_log_covers_it_with_a_quorum(hospitals: Hospitals, log: NorthsLog) -> None:
    """Not while the log is out of reach, behind, or has no quorum; then it is taken as ever."""
    transfer_id = await _offered(hospitals, 1)
    events = await log.stored()
    log.trust("w")
    for show in (None, events[:3], events):
        if show is not None:
            log.show(show, cosigned=show is not events)
        await hospitals.once("south")
        assert await hospitals.received(transfer_id) is None
    log.show(events, cosigned=True)
    await hospitals.once("south")
    package = await hospitals.received_state(transfer_id, common.TRANSFER_STATE_ACCEPTED)
    assert not package.since_fork


async def test_of_a_sender_whose_log_no_policy_knows_nothing_is_taken(hospitals: Hospitals, log: NorthsLog) -> None:
    """Keys come from the policy alone: an offer of another sender waits for whoever puts its key there."""
    transfer_id = await _offered(hospitals, 1)
    await log.stored()
    known = log.origin
    log.origin = "ledger.example/elsewhere/1"
    log.trust()
    await hospitals.once("south")
    assert await hospitals.received(transfer_id) is None
    log.origin = known
    log.trust()
    log.show(await log.stored())
    await hospitals.once("south")
    await hospitals.received_state(transfer_id, common.TRANSFER_STATE_ACCEPTED)


async def test_an_offer_that_the_log_does_not_hold_is_rejected(hospitals: Hospitals, log: NorthsLog) -> None:
    """What the topic says and the log does not is nobody's record; the code reaches the sender, nothing is fetched."""
    transfer_id = await _offered(hospitals, 1)
    events = await log.stored()
    log.trust()
    log.show([*events[:-1], *other_events(len(events), len(events))])
    await hospitals.once("south")
    package = await hospitals.received_state(transfer_id, common.TRANSFER_STATE_REJECTED)
    assert package.code == "NOT_IN_LOG"
    assert not hospitals.kept(transfer_id).exists()


async def test_after_a_fork_nothing_is_taken_and_what_came_since_is_marked(
    hospitals: Hospitals, log: NorthsLog, tmp_path: Path
) -> None:
    """Up to the last head that both trees have nothing is in doubt. Both sides and the archive office are told, a
    person decides by name and clears each package, and a start anew marks nothing twice."""
    taken, sizes = list[str](), list[int]()
    for number in (1, 2):
        taken.append(await _offered(hospitals, number))
        events = await log.stored()
        sizes.append(len(events))
        log.trust()
        log.show(events)
        await hospitals.once("south")
        await hospitals.received_state(taken[-1], common.TRANSFER_STATE_ACCEPTED)
    third = await _offered(hospitals, 3)
    log.show([*(await log.stored())[: sizes[0]], *other_events(sizes[0] + 1, sizes[1])])
    for _ in range(2):
        await hospitals.once("south")
    assert await hospitals.received(third) is None
    marked = [(await hospitals.received_state(each, common.TRANSFER_STATE_ACCEPTED)).since_fork for each in taken]
    assert marked == [False, True]
    assert await hospitals.event_types("south") == [*_TAKEN, *_TAKEN, "PackageSinceFork"]
    readers = await _readers(hospitals)
    assert (readers["south", "transfers"], readers["north", "recipient:south"]) == ("forked", "forked")

    office = ["consume", "archive-office", "north", str(tmp_path / "archive"), "--address", hospitals.address]
    told = await _command(*office, token=token_file(tmp_path))
    assert (told.exit_code, "ALARM: recipient:south has seen a fork" in told.output) == (0, True), told.output

    folder = hospitals.folder / "south"
    listed = await _command("forks", "list", str(folder))
    assert (listed.exit_code, f"the same up to size {sizes[0]:,}" in listed.output) == (1, True), listed.output
    decided = await _command("forks", "decide", str(folder), log.origin, *_BY, "--right", "seen")
    assert decided.exit_code == 0, decided.output
    log.show(await log.stored())
    await hospitals.once("south")
    await hospitals.received_state(third, common.TRANSFER_STATE_ACCEPTED)
    assert (await hospitals.received_state(taken[1], common.TRANSFER_STATE_ACCEPTED)).since_fork
    cleared = await _command("forks", "clear", "south", *taken, *_BY, "--address", hospitals.address)
    assert (cleared.exit_code, cleared.output.count("was not marked")) == (0, 1), cleared.output
    assert not (await hospitals.received_state(taken[1], common.TRANSFER_STATE_ACCEPTED)).since_fork
    assert (await hospitals.event_types("south"))[-1] == "PackageForkCleared"
    readers = await _readers(hospitals)
    assert (readers["south", "transfers"], readers["north", "recipient:south"]) == ("running", "running")


async def test_a_log_that_does_not_prove_its_growth_is_waited_for(hospitals: Hospitals, log: NorthsLog) -> None:
    """Both sides are told, nothing is taken, and the honest log is taken again. Another tree of another size, which its
    own tiles prove, is a fork."""
    first = await _offered(hospitals, 1)
    events = await log.stored()
    log.trust()
    log.show(events)
    await hospitals.once("south")
    await hospitals.received_state(first, common.TRANSFER_STATE_ACCEPTED)
    second = await _offered(hospitals, 2)
    grown = await log.stored()
    other = [*other_events(1, len(grown) - 1), grown[-1]]
    log.show(grown)
    honest = (log.policy.parent / "logs" / "shown" / "checkpoint").read_bytes()
    for shown, head, state in ((other, honest, "unproven"), (grown, honest, "running")):
        log.show(shown)
        (log.policy.parent / "logs" / "shown" / "checkpoint").write_bytes(head)
        await hospitals.once("south")
        assert (await hospitals.received(second) is None) == (state == "unproven")
        readers = await _readers(hospitals)
        assert (readers["south", "transfers"], readers["north", "recipient:south"]) == (state, state)
    await hospitals.received_state(second, common.TRANSFER_STATE_ACCEPTED)
    third = await _offered(hospitals, 3)
    all_events = await log.stored()
    log.show([*other_events(1, len(all_events) - 1), all_events[-1]])
    await hospitals.once("south")
    assert await hospitals.received(third) is None
    assert (await _readers(hospitals))["north", "recipient:south"] == "forked"


async def test_packages_of_an_earlier_release_are_marked_too(hospitals: Hospitals, log: NorthsLog) -> None:
    """Of which nobody knows where their offers lie. No system clears them, and no fork is decided by one."""
    first = await _offered(hospitals, 1)
    await hospitals.once("south")
    hospitals.kept(first).with_suffix(".place").unlink()
    events = await log.stored()
    log.trust()
    second = await _offered(hospitals, 2)
    log.show(await log.stored())
    away = replace(hospitals, address="127.0.0.1:1")
    await away.once("south")
    log.show([*events, *other_events(len(events) + 1, len(await log.stored()))])
    await hospitals.once("south")
    assert (await hospitals.received_state(first, common.TRANSFER_STATE_ACCEPTED)).since_fork
    assert await hospitals.received(second) is None
    system = ("--by", "7c9a1f52-0f6e-4d2b-8a3e-5b1c2d3e4f77,clock,system", "--reason", "none")
    refused = await _command("forks", "clear", "south", first, *system, "--address", hospitals.address)
    assert (refused.exit_code, "a person decides" in refused.output) == (1, True)
    folder = str(hospitals.folder / "south")
    refused = await _command("forks", "decide", folder, log.origin, *system, "--right", "other")
    assert (refused.exit_code, "a person decides" in refused.output) == (1, True)
    unknown = await _command("forks", "decide", folder, "elsewhere/1", *_BY, "--right", "other")
    assert (unknown.exit_code, "no fork of elsewhere/1" in unknown.output) == (1, True)


async def test_an_offer_that_waited_too_long_is_rejected(hospitals: Hospitals, log: NorthsLog) -> None:
    """Also while the sender's log is forked: the sender learns why, by code, and nothing was fetched."""
    transfer_id = await hospitals.offer(record_id := await hospitals.record(), ends_in=timedelta(days=300))
    await hospitals.arrives("south", 1)
    events = await log.stored()
    log.trust()
    for shown in (events[:4], other_events(1, 4)):
        log.show(shown)
        await hospitals.once("south")
        assert await hospitals.received(transfer_id) is None
    await hospitals.once("south", clock=lambda: datetime.now(UTC) + LONGEST_WAIT)
    package = await hospitals.received_state(transfer_id, common.TRANSFER_STATE_REJECTED)
    assert (package.code, hospitals.kept(transfer_id).exists()) == ("WAITED_TOO_LONG", False)
    hospitals.trust = None
    async with hospitals.following("north"):
        await hospitals.sent_state(record_id, transfer_id, common.TRANSFER_STATE_REJECTED)
    assert (await hospitals.sent(record_id, transfer_id)).code == "WAITED_TOO_LONG"


async def test_answers_of_a_hospital_whose_log_forked_wait_for_a_person(
    hospitals: Hospitals, log: NorthsLog, tmp_path: Path
) -> None:
    """An answer is written down where the recipient's log holds it; not while it is behind, nor after a fork; one that
    its log does not hold is put aside."""
    record_id = await hospitals.record()
    taken = await hospitals.offer(record_id)
    await hospitals.arrives("south", 1)
    await hospitals.once("south")
    await hospitals.arrives("north", 2)
    souths = NorthsLog(hospitals, tmp_path / "logs", log.url.removesuffix("/shown"), "south")
    events = await souths.stored()
    souths.trust()
    for shown in (events[:2], other_events(1, 2)):
        souths.show(shown)
        await hospitals.once("north")
        assert (await hospitals.sent(record_id, taken)).state == common.TRANSFER_STATE_VERIFIED
    readers = await _readers(hospitals)
    assert (readers["north", "transfers"], readers["south", "recipient:north"]) == ("forked", "forked")
    decided = await _command("forks", "decide", str(hospitals.folder / "north"), souths.origin, *_BY, "--right", "seen")
    assert decided.exit_code == 0, decided.output
    souths.show([*events[:-1], *other_events(len(events), len(events))])
    await hospitals.once("north")
    assert (await hospitals.sent(record_id, taken)).state == common.TRANSFER_STATE_VERIFIED
    letters = (hospitals.folder / "north" / "transfers" / "dead-letters.jsonl").read_text().splitlines()
    assert [json.loads(line)["reason"].partition(":")[0] for line in letters] == ["NOT_IN_LOG"]


async def test_news_of_a_sender_whose_log_forked_is_written_down_and_marked(
    hospitals: Hospitals, log: NorthsLog
) -> None:
    """A warning is not held back for a fork, whatever tree it stands in; it waits while the log is behind alone."""
    record_id = await hospitals.record()
    transfer_id = await hospitals.offer(record_id)
    await hospitals.arrives("south", 1)
    events = await log.stored()
    log.trust()
    log.show(events)
    await hospitals.once("south")
    await hospitals.received_state(transfer_id, common.TRANSFER_STATE_ACCEPTED)
    await hospitals.amend(record_id)
    await hospitals.arrives("south", 2)
    await hospitals.once("south")
    assert await hospitals.event_types("south") == _TAKEN
    grown = await log.stored()
    log.show([*events, *other_events(len(events) + 1, len(grown))])
    log.show([*events[:-1], *other_events(len(events), len(grown) + 1)])
    await hospitals.once("south")
    package = await hospitals.received_state(transfer_id, common.TRANSFER_STATE_ACCEPTED)
    assert (package.outdated, package.since_fork) == (True, True)
    assert sorted(await hospitals.event_types("south")) == sorted([*_TAKEN, "PackageOutdated", "PackageSinceFork"])


async def test_news_that_the_log_does_not_hold_is_put_aside_and_unproven_news_is_written_down_in_the_end(
    hospitals: Hospitals, log: NorthsLog
) -> None:
    """Of another leaf nobody vouches for it; what cannot be looked up within the longest wait is a warning still."""
    record_id = await hospitals.record()
    transfer_id = await hospitals.offer(record_id)
    await hospitals.arrives("south", 1)
    await hospitals.once("south")
    await hospitals.amend(record_id)
    await hospitals.arrives("south", 2)
    grown = await log.stored()
    log.trust()
    folder, hospitals.folder = hospitals.folder, hospitals.folder / "another"
    log.show([*grown[:-1], *other_events(len(grown), len(grown))])
    await hospitals.once("south")
    letters = (hospitals.folder / "south" / "transfers" / "dead-letters.jsonl").read_text()
    assert ("NOT_IN_LOG" in letters, await hospitals.event_types("south")) == (True, _TAKEN)
    hospitals.folder = folder
    log.show(grown[:1])
    await hospitals.once("south")
    assert await hospitals.event_types("south") == _TAKEN
    await hospitals.once("south", clock=lambda: datetime.now(UTC) + LONGEST_WAIT)
    package = await hospitals.received_state(transfer_id, common.TRANSFER_STATE_ACCEPTED)
    assert (package.outdated, package.since_fork) == (True, False)
