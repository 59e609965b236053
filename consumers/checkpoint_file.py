"""How far a consumer has come on its topic, kept in a file of its own: an outsider's way."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from consumers.durable_file import write_durably
from consumers.transfer_topic import Delivered, Place


class BadCheckpoint(Exception):
    """The checkpoint file cannot be read: put it right, or remove it to begin again from the start of the topic."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path}: {BadCheckpoint.__doc__}")
        self.path = path


class CheckpointFile:
    """Places by partition, and the last position seen of every sender there."""

    def __init__(self, path: Path) -> None:
        """BadCheckpoint for a file that this class has not written."""
        self._path = path
        self._places: dict[int, Place] = {}
        self._last: dict[int, dict[str, int]] = {}
        if path.exists():
            self._read(path)

    @property
    def places(self) -> Mapping[int, Place]:
        """Where to read on, by partition."""
        return dict(self._places)

    def is_repeat(self, delivered: Delivered) -> bool:
        """Whether the message, by (origin, position), was handled before.

        A sender's events keep their order within one partition, so one position per sender says it. A topic made anew
        may lay its records out over other partitions, so there nothing counts as seen: handling twice does no harm,
        leaving out would.
        """
        place = self._places.get(delivered.partition)
        if place is None or place.topic_id != delivered.place.topic_id:
            return False
        last = self._last[delivered.partition].get(delivered.message.origin, 0)
        return delivered.message.position <= last

    def advance(self, delivered: Delivered) -> None:
        """Takes a handled message, or a repeat, into account; durable after `save`."""
        partition, place = delivered.partition, self._places.get(delivered.partition)
        if place is None or place.topic_id != delivered.place.topic_id:
            self._last[partition] = {}
        self._places[partition] = delivered.place
        seen = self._last[partition]
        seen[delivered.message.origin] = max(delivered.message.position, seen.get(delivered.message.origin, 0))

    def save(self) -> None:
        """Makes it durable."""
        row = {
            str(partition): {
                "topic_id": place.topic_id,
                "next_offset": place.next_offset,
                "last_positions": self._last[partition],
            }
            for partition, place in sorted(self._places.items())
        }
        write_durably(self._path, json.dumps({"partitions": row}, indent=1).encode() + b"\n")

    def _read(self, path: Path) -> None:
        try:
            for name, row in json.loads(path.read_bytes())["partitions"].items():
                self._take_up(int(name), row)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadCheckpoint(path) from error

    def _take_up(self, partition: int, row: Any) -> None:
        self._places[partition] = Place(str(row["topic_id"]), int(row["next_offset"]))
        self._last[partition] = {str(origin): int(position) for origin, position in row["last_positions"].items()}
