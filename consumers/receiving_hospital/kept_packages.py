"""The original bytes of every verified package, as they were received."""

from pathlib import Path
from uuid import UUID

from consumers.durable_file import write_durably


class KeptPackages:
    """A folder with one file `<transfer id>.pkg` per package."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def path_of(self, transfer_id: UUID) -> Path:
        """Where the package of this transfer lies, or would lie."""
        return self._folder / f"{transfer_id}.pkg"

    def read(self, transfer_id: UUID) -> bytes | None:
        """The bytes kept; None where there are none."""
        path = self.path_of(transfer_id)
        return path.read_bytes() if path.exists() else None

    def keep(self, transfer_id: UUID, data: bytes) -> None:
        """Keeps the bytes; afterwards they are there for good."""
        write_durably(self.path_of(transfer_id), data)
