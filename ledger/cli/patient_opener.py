"""Opens bodies for consumers, which know a service that does not answer by one name."""

from __future__ import annotations

from collections.abc import Sequence

from consumers.patience import ServiceUnavailable
from ledger.keys.errors import KeysUnavailable
from ledger.keys.remote_opener import ATTEMPTS_MAX
from ledger.trust.sealing import Opener, Opening


class PatientOpener:
    """An Opener whose failures are ServiceUnavailable: the consumer stops where it stands and is begun again."""

    def __init__(self, opener: Opener) -> None:
        self._opener = opener

    async def open(self, events: Sequence[tuple[bytes, bytes]]) -> list[Opening]:
        """As Opener says. Raises ServiceUnavailable."""
        try:
            return await self._opener.open(events)
        except KeysUnavailable as error:
            raise ServiceUnavailable("Unseal", ATTEMPTS_MAX, error.why) from error
