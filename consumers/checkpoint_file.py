"""How far a consumer has come on its topic, kept in a file of its own: an outsider's way."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from consumers.durable_file import write_durably
from consumers.transfer_topic import Delivered, Place

REMEMBERED_MAX = 256
"""Handled positions that are remembered of every sender, the newest."""


class BadCheckpoint(Exception):
    """The checkpoint file cannot be read: put it right, or remove it to begin again from the start of the topic."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path}: {BadCheckpoint.__doc__}")
        self.path = path


class CheckpointFile:
    """Places by partition, and the positions handled last of every sender there."""

    def __init__(self, path: Path) -> None:
        """BadCheckpoint for a file that this class has not written."""
        self._path = path
        self._places: dict[int, Place] = {}
        self._handled: dict[int, dict[str, list[int]]] = {}
        if path.exists():
            self._read(path)

    @property
    def places(self) -> Mapping[int, Place]:
        """Where to read on, by partition."""
        return dict(self._places)

    def is_repeat(self, delivered: Delivered) -> bool:
        """Whether the message, by (origin, position), was handled before.

        Only what is remembered counts: a sender whose topic lost events sends them again behind newer ones, so a
        position below the last one may never have been here. What is forgotten is handled twice, which does no harm;
        leaving out would. So does a topic made anew, which may lay its records out over other partitions.
        """
        place = self._places.get(delivered.partition)
        if place is None or place.topic_id != delivered.place.topic_id:
            return False
        return delivered.message.position in self._handled[delivered.partition].get(delivered.message.origin, ())

    def advance(self, delivered: Delivered) -> None:
        """Takes a handled message, or a repeat, into account; durable after `save`."""
        partition, place = delivered.partition, self._places.get(delivered.partition)
        if place is None or place.topic_id != delivered.place.topic_id:
            self._handled[partition] = {}
        self._places[partition] = delivered.place
        handled = self._handled[partition].setdefault(delivered.message.origin, [])
        if delivered.message.position not in handled:
            handled.append(delivered.message.position)
            del handled[:-REMEMBERED_MAX]

    def save(self) -> None:
        """Makes it durable."""
        row = {
            str(partition): {
                "topic_id": place.topic_id,
                "next_offset": place.next_offset,
                "handled": self._handled[partition],
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
        handled = row["handled"] if "handled" in row else _of_last(row["last_positions"])
        self._handled[partition] = {
            str(origin): [int(each) for each in positions] for origin, positions in handled.items()
        }


def _of_last(last_positions: Any) -> dict[str, list[int]]:
    """As the first form of this file had it: the last position alone."""
    return {origin: [position] for origin, position in last_positions.items()}
