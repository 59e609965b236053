"""The original bytes of every verified package, as they were received, and where its sender's ledger has the offer."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from consumers.durable_file import write_durably
from consumers.receiving_hospital.offer import Offer

_PACKAGE, _PLACE = ".pkg", ".place"


@dataclass(frozen=True, slots=True)
class OfferPlace:
    """Where an offer lies."""

    origin: str
    """Of the sender's ledger."""
    position: int


class KeptPackages:
    """A folder with the files `<transfer id>.pkg` and `<transfer id>.place` per package."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def path_of(self, transfer_id: UUID) -> Path:
        """Where the package of this transfer lies, or would lie."""
        return self._folder / f"{transfer_id}{_PACKAGE}"

    def read(self, transfer_id: UUID) -> bytes | None:
        """The bytes kept; None where there are none."""
        path = self.path_of(transfer_id)
        return path.read_bytes() if path.exists() else None

    def keep(self, transfer_id: UUID, data: bytes) -> None:
        """Keeps the bytes; afterwards they are there for good."""
        write_durably(self.path_of(transfer_id), data)

    def note_place(self, offer: Offer) -> None:
        """Keeps where an offer lies, for good, before its package is taken."""
        row = {"origin": offer.sender_origin, "position": offer.position}
        write_durably(self._folder / f"{offer.transfer_id}{_PLACE}", json.dumps(row).encode())

    def place(self, transfer_id: UUID) -> OfferPlace | None:
        """Where the offer lies; None where an earlier release has taken it."""
        path = self._folder / f"{transfer_id}{_PLACE}"
        if not path.exists():
            return None
        row = json.loads(path.read_bytes())
        return OfferPlace(str(row["origin"]), int(row["position"]))

    def transfers(self) -> Iterator[UUID]:
        """Whatever was kept here of a transfer, in the order of their ids."""
        names = {path.stem for path in self._folder.iterdir() if path.suffix in (_PACKAGE, _PLACE)}
        yield from map(UUID, sorted(names))
