"""Two publishers of the same hospitals: one stands still past its lease, the other takes over, the first wakes."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from ledger.embedded.kafka import EmbeddedKafka
from ledger.stream.topics import records_topic, transfers_topic
from tests.contract.stream.loaded_ledger import LoadedLedger, assert_exactly_once
from tests.eventually import eventually
from tests.fault.publisher_process import PublisherProcess
from tests.fault.test_publisher_on_postgres import copied
from tests.fault.topic_contents import on_topic
from tests.services.postgres import Database

EVENTS = 3_000
OFFERS = 5
TAKEN_OVER = "another publisher has taken over"
LEASE_LOST = "publisher's lease lost"


class Pair:
    """Two hospitals that send each other offers, a publisher that freezes, and one that does not."""

    def __init__(self, ledgers: list[LoadedLedger], frozen: PublisherProcess, other: PublisherProcess) -> None:
        self.ledgers = ledgers
        self.frozen = frozen
        self.other = other
        self.offers: dict[str, list[int]] = {each.hospital: [] for each in ledgers}

    def load(self, events: int) -> None:
        """Events and offers for both hospitals."""
        first, second = self.ledgers
        for sender, recipient in ((first, second), (second, first)):
            for _ in range(OFFERS):
                sender.append(events // OFFERS)
                self.offers[sender.hospital].append(sender.offer(recipient.hospital))

    def take_over_and_wake(self, said: tuple[str, ...]) -> None:
        """The first freezes, its lease ends, the second publishes; in the midst of that the first is continued."""
        self.frozen.start()
        self.frozen.wait_until_frozen()
        before = [each.progress() for each in self.ledgers]
        self.load(EVENTS)
        self.other.start()
        eventually(lambda: self.taken_over_since(before), seconds_max=150, what="the other takes over")
        self.frozen.go_on()
        learns = f"it says one of {said} in {self.frozen.log}"
        eventually(lambda: any(each in self.frozen.said() for each in said), seconds_max=60, what=learns)
        self.load(EVENTS // 10)
        self.wait_until_published()

    def let_the_first_have_it_back(self) -> None:
        """It is as good a publisher as before."""
        self.other.stop()
        self.load(EVENTS // 10)
        self.wait_until_published()

    def taken_over_since(self, before: list[int]) -> bool:
        """Whether both hospitals went on: the first stood still in one of them, and is fenced in that one alone."""
        return all(each.progress() > noted for each, noted in zip(self.ledgers, before, strict=True))

    def wait_until_published(self) -> None:
        """Until both are noted to their heads."""
        done = lambda: all(each.progress() == each.head for each in self.ledgers)  # noqa: E731
        eventually(done, seconds_max=60, what="both published")


@pytest.fixture
async def ledgers(database: Database) -> list[LoadedLedger]:
    """Hospitals that no other test publishes: the session's broker is shared."""
    stem = uuid4().hex[:6]
    return [await LoadedLedger.add(database, f"{name}-{stem}", 3) for name in ("north", "south")]


def pair(database: Database, bootstrap: str, folder: Path, ledgers: list[LoadedLedger], moment: str) -> Iterator[Pair]:
    """Its processes end with the test."""
    for name in ("frozen", "other"):
        (folder / name).mkdir()
    frozen = PublisherProcess(database, bootstrap, folder / "frozen", "tests.fault.publisher_that_freezes", moment)
    other = PublisherProcess(database, bootstrap, folder / "other")
    made = Pair(ledgers, frozen, other)
    made.load(EVENTS)
    try:
        yield made
    finally:
        frozen.kill()
        other.kill()


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        pytest.param("committing", (TAKEN_OVER,), marks=pytest.mark.long),
        pytest.param("begun", (TAKEN_OVER,), marks=pytest.mark.long),
        # What it wakes to is done already; whether it learns of the other by its lease or its next send is a race.
        pytest.param("committed", (TAKEN_OVER, LEASE_LOST), marks=pytest.mark.long),
    ],
)
def test_publisher_that_wakes_after_its_lease_is_fenced(
    database: Database,
    kafka_broker: EmbeddedKafka,
    ledgers: list[LoadedLedger],
    tmp_path: Path,
    moment: str,
    said: tuple[str, ...],
) -> None:
    """In the middle of a transaction it stood still for more than its term: nothing is lost, doubled or reordered,
    neither on the topics of records nor on those of transfers, and later it may publish again."""
    for both in pair(database, kafka_broker.bootstrap, tmp_path, ledgers, moment):
        both.take_over_and_wake(said)
        both.let_the_first_have_it_back()
        for sender, recipient in zip(ledgers, reversed(ledgers), strict=True):
            assert_exactly_once(sender, on_topic(kafka_broker.bootstrap, records_topic(sender.hospital)))
            sent = on_topic(kafka_broker.bootstrap, transfers_topic(recipient.hospital))
            assert [each.position for each in sent] == both.offers[sender.hospital]


@pytest.mark.long
def test_publisher_that_wakes_on_the_postgres_log_copies_nothing_twice(
    database: Database, ledgers: list[LoadedLedger], tmp_path: Path
) -> None:
    """There nothing fences it but that a copy which is there takes no number: every offer once, in order, no hole."""
    for both in pair(database, "", tmp_path, ledgers, "copying"):
        both.take_over_and_wake((LEASE_LOST,))
        both.let_the_first_have_it_back()
        for sender, recipient in zip(ledgers, reversed(ledgers), strict=True):
            source = f"ledger.test/{sender.hospital}/1"
            assert copied(database, recipient.hospital) == [(source, each) for each in both.offers[sender.hospital]]
