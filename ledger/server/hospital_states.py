"""The state of every hospital of the registry: one that is not in use, or fails, hides none of the others."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from ledger.api.v1.stream_pb2 import GetStatusResponse, HospitalStatus
from ledger.application.errors import UnknownHospital
from ledger.application.ledger import Ledger
from ledger.store.errors import StoreUnavailable
from ledger.store.hospitals import HospitalRow
from ledger.views.errors import ViewsUnavailable

IN_USE = "active"
_FAILED = "failed"
_log = logging.getLogger(__name__)


async def hospital_states(
    ledger: Ledger, wanted: str, figures: Callable[[str], Awaitable[HospitalStatus]]
) -> GetStatusResponse:
    """`figures` of every hospital in use, and of the others the state alone; one hospital where one is wanted.

    UnknownHospital; StoreUnavailable and ViewsUnavailable where nothing can be said of any.
    """
    rows = [row for row in await ledger.hospitals() if wanted in ("", row.id)]
    if wanted and not rows:
        raise UnknownHospital(wanted)
    return GetStatusResponse(hospitals=[await _state(row, figures) for row in rows])


async def _state(row: HospitalRow, figures: Callable[[str], Awaitable[HospitalStatus]]) -> HospitalStatus:
    if row.state != IN_USE:
        return HospitalStatus(hospital=row.id, state=row.state)
    try:
        found = await figures(row.id)
    except (StoreUnavailable, ViewsUnavailable):
        raise
    except Exception:  # noqa: BLE001 # logged; those who look want to see the other hospitals all the more
        _log.warning("no state of a hospital", exc_info=True, extra={"hospital": row.id})
        return HospitalStatus(hospital=row.id, state=_FAILED)
    found.state = row.state
    return found
