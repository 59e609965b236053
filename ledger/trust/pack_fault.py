"""What can be wrong with a proof pack, by name."""

from __future__ import annotations

from enum import Enum


class PackFault(Enum):
    """The first fault of a pack, in the order in which they are looked for."""

    FORM = "these bytes are no proof pack in its one spelling"
    CHECKPOINT = "the checkpoint is not one that a trusted log has signed"
    QUORUM = "too few witnesses of the policy have cosigned the checkpoint"
    ENVELOPE = "an envelope is not well formed"
    ORIGIN = "an event is of another log than the checkpoint"
    RECORD = "an event of another record was slipped in"
    VERSION = "an event is left out, repeated or out of order"
    PREV_LEAF = "an event does not follow the one before it"
    TIME = "an event was recorded earlier than the one before it"
    BODY = "a body is not the one that the envelope names"
    MAP_EVENT = "the event of the map is none, or its body is not disclosed"
    MAP_INCLUSION = "the map's event is not in the tree of the checkpoint"
    MAP_ORDER = "the map speaks of positions that were not before it"
    STALE_MAP = "the map is older than was allowed, later than its checkpoint, or of no proven time"
    BUCKET = "the bucket is not in the published map"
    SECOND_ROW = "the bucket's rows are torn, out of order or hold a record twice"
    NOT_IN_MAP = "the map does not know the record"
    HIDDEN_TAIL = "the map knows later events of the record than the pack holds"
    WRONG_HEAD = "the map's row names another event than the pack holds"
    HEAD_INCLUSION = "the record's head is not in the tree below the size that the map speaks of"
    LATER_INCLUSION = "an event after the map's row is not in the tree of the checkpoint"
    WRONG_MAP = "an event lies below the size that the map speaks of, and the map leaves it out"
    AUDIT = "the monitor's note is broken, of another map, or says that the map is wrong"


class PackRefused(Exception):
    """A proof pack that proves nothing, with its first fault."""

    def __init__(self, fault: PackFault, *, version: int = 0, detail: str = "") -> None:
        place = f" at version {version}" if version else ""
        super().__init__(f"{fault.name}{place}: {fault.value}{f' ({detail})' if detail else ''}")
        self.fault = fault
        self.version = version
        """Of the record's event that is at fault; 0 where none is."""
        self.detail = detail
