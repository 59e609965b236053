"""The text of a checkpoint: which log, how many leaves, which root. It counts once the signatures were checked."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.trust.decimal_line import from_decimal
from ledger.trust.format_fault import CheckpointFault
from ledger.trust.merkle import HASH_BYTES, TREE_SIZE_MAX
from ledger.trust.strict_base64 import from_base64, to_base64

_LINES_MIN = 3


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head. Ours have no extension lines; those of others are kept."""

    origin: str
    size: int
    """Leaves; for a ledger of ours the last position."""
    root: bytes
    """32 bytes."""
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """CheckpointFault names every field that could not stand in a checkpoint."""
        checks = (
            (_is_line(self.origin), "the origin is empty or has a control character"),
            (0 <= self.size <= TREE_SIZE_MAX, "the size is not 0 to 2^63 - 1"),
            (len(self.root) == HASH_BYTES, "the root is not 32 bytes"),
            (all(map(_is_line, self.extensions)), "an extension line is empty or has a control character"),
        )
        faults = [fault for holds, fault in checks if not holds]
        if faults:
            raise CheckpointFault(*faults)

    def text(self) -> str:
        """The text that is signed."""
        return "".join(f"{line}\n" for line in (self.origin, self.size, to_base64(self.root), *self.extensions))


def parse_checkpoint(text: str) -> Checkpoint:
    """The checkpoint in a note's text; CheckpointFault names every fault."""
    lines = text.split("\n")
    if len(lines) <= _LINES_MIN or lines.pop():
        raise CheckpointFault("not three lines or more, each with a newline")
    size, root = from_decimal(lines[1]), from_base64(lines[2])
    faults = [
        *(["the size"] if size is None else []),
        *(["the root"] if root is None or len(root) != HASH_BYTES else []),
    ]
    if faults or size is None or root is None:
        raise CheckpointFault(*faults)
    return Checkpoint(lines[0], size, root, tuple(lines[_LINES_MIN:]))


def _is_line(text: str) -> bool:
    return bool(text) and all(each >= " " for each in text)
