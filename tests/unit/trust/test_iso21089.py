"""Every stored event has its ISO 21089 code."""

import pytest

from ledger.api.v1 import events_pb2
from ledger.trust.iso21089 import UnknownEventType, iso_code

NOT_EVENTS = {"Envelope", "PublishedEvent", "PatientIdentifier", "PatientDetails"}


def stored_events() -> list[str]:
    """The messages of events.proto that stand for an event: they name an actor in their first fields or not at all."""
    return [name for name in events_pb2.DESCRIPTOR.message_types_by_name if name not in NOT_EVENTS]


@pytest.mark.parametrize("name", stored_events())
def test_every_event_of_the_contract_has_a_code(name: str) -> None:
    """A new event without a row in the table fails here, not in a consumer."""
    assert iso_code(f"ledger.v1.{name}")


@pytest.mark.parametrize("name", ["EntryRecorded", "ledger.v1.Nothing", "ledger.v2.EntryRecorded", ""])
def test_unknown_name_is_refused(name: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(UnknownEventType):
        iso_code(name)


def test_codes_of_the_families() -> None:
    """One of each family as lifecycle.md has it."""
    names = ["RecordRegistered", "EntryRecorded", "ConsultationAnswered", "EntryAmended", "RecordArchived"]
    codes = [iso_code(f"ledger.v1.{name}") for name in names]
    assert codes == ["originate", "attest", "report", "amend", "archive"]
