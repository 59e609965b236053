"""Who may have bodies opened: known by the digest of a token, each for purposes of its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from ledger.api.v1.keys_pb2 import UNSEAL_PURPOSE_ARCHIVE, UNSEAL_PURPOSE_VIEWS, UnsealPurpose
from ledger.keys.consumers_file import Consumers, consumer, read_consumers, write_consumers
from ledger.keys.errors import HospitalDenied, KeyFileUnusable, KeyProblem, PurposeDenied, UnknownToken
from ledger.keys.unsealing import Unsealing
from ledger.trust.sealing import Opened
from tests.services.sealed import FIXED_KEY
from tests.unit.consumers.histories import short_history

VIEWS = consumer("project", "token of the views", UNSEAL_PURPOSE_VIEWS, hospitals=["*"])
ARCHIVE = consumer("archive-office", "token of the archive", UNSEAL_PURPOSE_ARCHIVE, hospitals=["north", "south"])
EVENTS = [(event.envelope, event.body) for event in short_history().events]


def test_the_file_holds_no_token(tmp_path: Path) -> None:
    """Who reads it can pretend to be nobody; what was written is read back."""
    file = tmp_path / "consumers.json"
    write_consumers(file, [VIEWS, ARCHIVE])
    assert "token of" not in file.read_text()
    found = read_consumers(file)
    assert found.of_token("token of the views") == VIEWS
    assert found.of_token("token of the archive") == ARCHIVE


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        '{"consumers": [{"name": "A", "token_sha256": "00", "purposes": []}]}',
        '{"consumers": [{"name": "a", "token_sha256": "00", "purposes": ["VIEWS"]}]}',
        '{"consumers": [{"name": "a", "token_sha256": "%s", "purposes": ["NONE"]}]}' % ("00" * 32),
        '{"format": 3, "consumers": []}',
        '{"format": 2, "consumers": [{"name": "a", "token_sha256": "%s", "purposes": []}]}' % ("00" * 32),
        '{"format": 2, "consumers": [{"name": "a", "token_sha256": "%s", "purposes": [], "hospitals": []}]}'
        % ("00" * 32),
        '{"format": 2, "consumers": [{"name": "a", "token_sha256": "%s", "purposes": [], "hospitals": ["*", "b1"]}]}'
        % ("00" * 32),
        '{"consumers": [%s, %s]}' % (('{"name": "a", "token_sha256": "%s", "purposes": []}' % ("00" * 32),) * 2),
    ],
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    """No consumers, a bad name, digest, purpose or hospital, a later format, a name twice."""
    file = tmp_path / "consumers.json"
    file.write_text(text)
    file.chmod(0o600)
    with pytest.raises(KeyFileUnusable):
        read_consumers(file)


def test_a_new_token_ends_the_old_one() -> None:
    """One consumer, one token."""
    renewed = consumer("project", "another token", UNSEAL_PURPOSE_VIEWS, hospitals=["*"])
    found = Consumers(Consumers([VIEWS, ARCHIVE]).with_one(renewed))
    assert found.of_token("another token") == renewed
    with pytest.raises(UnknownToken):
        found.of_token("token of the views")


REFUSED: list[tuple[str | None, UnsealPurpose.ValueType, type[KeyProblem]]] = [
    (None, UNSEAL_PURPOSE_VIEWS, UnknownToken),
    ("", UNSEAL_PURPOSE_VIEWS, UnknownToken),
    ("Bearer ", UNSEAL_PURPOSE_VIEWS, UnknownToken),
    ("token of the views", UNSEAL_PURPOSE_VIEWS, UnknownToken),
    ("Bearer token of the view", UNSEAL_PURPOSE_VIEWS, UnknownToken),
    ("Bearer token of the views", UNSEAL_PURPOSE_ARCHIVE, PurposeDenied),
]


@pytest.mark.parametrize(("authorization", "purpose", "error"), REFUSED)
async def test_whoever_may_not_is_refused(
    authorization: str | None, purpose: UnsealPurpose.ValueType, error: type[KeyProblem]
) -> None:
    """No token, another, one without its scheme, or a purpose of somebody else; nothing is counted as opened."""
    registry = CollectorRegistry()
    with pytest.raises(error):
        await Unsealing(Consumers([VIEWS, ARCHIVE]), FIXED_KEY, registry).unseal(authorization, purpose, EVENTS)
    assert [sample for metric in registry.collect() for sample in metric.samples] == []


async def test_other_hospitals_are_refused_and_audited(caplog: pytest.LogCaptureFixture) -> None:
    """One event of a hospital that is not the consumer's: nothing of the batch is opened; log and metric say who asked.

    So is one whose envelope names no hospital at all.
    """
    registry = CollectorRegistry()
    south = consumer("south-office", "token of the south", UNSEAL_PURPOSE_ARCHIVE, hospitals=["south"])
    unsealing = Unsealing(Consumers([ARCHIVE, south]), FIXED_KEY, registry)
    assert len(await unsealing.unseal("Bearer token of the archive", UNSEAL_PURPOSE_ARCHIVE, EVENTS)) == len(EVENTS)
    for events, hospital, count in ((EVENTS, "north", len(EVENTS)), ([(b"torn", b"")], "unknown", 1)):
        with pytest.raises(HospitalDenied) as refused:
            await unsealing.unseal("Bearer token of the south", UNSEAL_PURPOSE_ARCHIVE, events)
        assert refused.value.hospital == hospital
        labels = {"consumer": "south-office", "purpose": "archive", "hospital": hospital, "outcome": "denied"}
        assert registry.get_sample_value("ledger_unsealed_bodies_total", labels) == count
    said = [each.__dict__ for each in caplog.records if each.message == "bodies were asked for without a right to"]
    assert [(each["consumer"], each["hospital"]) for each in said] == [
        ("south-office", "north"),
        ("south-office", "unknown"),
    ]


def test_a_file_of_the_first_format_knows_no_hospitals(tmp_path: Path) -> None:
    """Its consumers keep what they had, every hospital; written again, that is said in the file."""
    file = tmp_path / "consumers.json"
    file.write_text('{"consumers": [{"name": "a", "token_sha256": "%s", "purposes": ["VIEWS"]}]}' % ("00" * 32))
    file.chmod(0o600)
    found = read_consumers(file)
    assert found.named_for(UNSEAL_PURPOSE_VIEWS, "north") == ("a",)
    write_consumers(file, found.with_one(ARCHIVE))
    assert json.loads(file.read_text())["format"] == 2
    assert read_consumers(file).named_for(UNSEAL_PURPOSE_VIEWS, "north") == ("a",)
    assert read_consumers(file).named_for(UNSEAL_PURPOSE_ARCHIVE, "east") == ()


async def test_what_is_opened_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    """By consumer, purpose, hospital and outcome; the log names those and no record."""
    registry = CollectorRegistry()
    unsealing = Unsealing(Consumers([VIEWS]), FIXED_KEY, registry)
    spoiled = (EVENTS[0][0], EVENTS[0][1][:-1] + b"!")
    with caplog.at_level("INFO"):
        found = await unsealing.unseal("Bearer token of the views", UNSEAL_PURPOSE_VIEWS, [*EVENTS, spoiled])
    assert [isinstance(each, Opened) for each in found] == [True, True, True, False]
    labels = {"consumer": "project", "purpose": "views", "hospital": "north"}
    counted = {
        outcome: registry.get_sample_value("ledger_unsealed_bodies_total", {**labels, "outcome": outcome})
        for outcome in ("opened", "fault")
    }
    assert counted == {"opened": 3, "fault": 1}
    (line,) = [record for record in caplog.records if record.message == "bodies unsealed"]
    assert (line.__dict__["consumer"], line.__dict__["opened"], line.__dict__["fault"]) == ("project", 3, 1)
