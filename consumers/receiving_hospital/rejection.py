"""Why a package is rejected. The codes are stable: senders act on them."""

from dataclasses import dataclass
from enum import Enum

from consumers.waiting_room import WaitEnd


class RejectCode(Enum):
    """Stable codes of a rejection."""

    SIZE_MISMATCH = "the package has another size than the offer says"
    DIGEST_MISMATCH = "the package has another SHA-256 than the offer says"
    PACKAGE_INVALID = "the bytes are not a package of format 1 for this transfer"
    WRONG_ORIGIN = "an event, or the package, comes from another ledger than the offer"
    WRONG_RECORD = "an event, or the package, belongs to another record than the offer"
    ENVELOPE_INVALID = "an envelope is not well formed"
    BODY_DIGEST_MISMATCH = "a body is not the one that its envelope names"
    CHAIN_BROKEN = "the chain of the record does not hold"
    HEAD_MISMATCH = "the chain ends elsewhere than the offer says"
    OFFER_EXPIRED = "the offer had run out"
    OFFER_WITHDRAWN = "the sender no longer hands the package over"
    NOT_IN_LOG = "the sender's log has something else in the place of the offer"
    WAITED_TOO_LONG = WaitEnd.WAITED_TOO_LONG.value
    TOO_MANY_WAIT = WaitEnd.TOO_MANY_WAIT.value
    PACKAGE_TOO_LARGE = "the package is larger than this hospital takes"


@dataclass(frozen=True, slots=True)
class Rejection:
    """One reason, with the place where it was found. Holds no clinical data."""

    code: RejectCode
    place: str = ""

    @property
    def text(self) -> str:
        """Explanation for people."""
        return f"{self.code.value} ({self.place})" if self.place else self.code.value
