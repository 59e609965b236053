"""The request bodies that the load generator sends."""

from pathlib import Path
from uuid import UUID

from benchmarks.load.bodies import entries, write_bodies
from ledger.api.v1.records_pb2 import RecordEntryRequest


def test_every_body_is_another_command(tmp_path: Path) -> None:
    """A body sent twice would be answered as a repetition, which is another path than the one that is measured."""
    records = [str(UUID(int=each, version=4)) for each in (1, 2)]
    made = [RecordEntryRequest.FromString(each) for each in entries("north", records, 5)]
    assert [each.record_id for each in made] == [records[0], records[1], records[0], records[1], records[0]]
    assert len({each.context.command_id for each in made}) == 5
    write_bodies(tmp_path / "bodies", [b"ab", b""])
    assert (tmp_path / "bodies").read_bytes() == b"\0\0\0\2ab\0\0\0\0"
