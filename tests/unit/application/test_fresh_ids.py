"""The random ids that a decision is given."""

from uuid import RFC_4122

from ledger.application.fresh_ids import fresh_ids


def test_ids_are_random_uuids_of_version_4() -> None:
    """As the contract says of every id that the ledger makes; no two of them are the same."""
    made = [each for _ in range(50) for each in fresh_ids()]
    assert {(each.version, each.variant) for each in made} == {(4, RFC_4122)}
    assert len(set(made)) == 50
