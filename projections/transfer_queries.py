"""Answers of the edge's TransferService from the view transfer_packages."""

from typing import Any

from ledger.api.v1 import transfers_pb2
from ledger.views.event import protobuf_time
from ledger.views.page_size import page_rows
from projections.page_token import read_token, write_token
from projections.reading import ViewReader
from projections.transfer_packages.view import TransferPackages

_ABOVE_ALL = 2**63 - 1


class TransferQueries:
    """Transfers sent and received. Every answer waits for `min_position` first, as Freshness says."""

    def __init__(self, reader: ViewReader) -> None:
        self._reader = reader
        self._packages = TransferPackages()

    async def transfers(
        self,
        hospital: str,
        page_size: int,
        page_token: str,
        min_position: int,
        *,
        outdated: bool = False,
        since_fork: bool = False,
    ) -> transfers_pb2.ListTransfersResponse:
        """Transfers, the newest first, or what waits for a later version, came since a fork, or both.

        BadPageSize, BadPageToken.
        """
        limit = page_rows(page_size)
        listed = f"{'outdated ' if outdated else ''}transfers{' since a fork' if since_fork else ''}"
        (before,) = read_token(listed, page_token, (_ABOVE_ALL,))
        parameters = (before, limit + 1, outdated, since_fork)
        rows = await self._reader.rows(hospital, self._packages, "transfers", parameters, min_position)
        token = write_token(listed, rows[limit - 1][1]) if len(rows) > limit else ""
        return transfers_pb2.ListTransfersResponse(transfers=map(_transfer_row, rows[:limit]), next_page_token=token)


def _transfer_row(row: tuple[Any, ...]) -> transfers_pb2.TransferRow:
    return transfers_pb2.TransferRow(
        transfer_id=str(row[0]),
        direction=row[2],
        counterpart=row[3],
        record_id=str(row[4]),
        state=row[5],
        kind=row[6],
        record_version=row[7],
        package_sha256=row[8],
        package_size=row[9],
        code=row[10],
        updated_at=protobuf_time(row[11]),
        outdated=row[12],
        since_fork=row[13],
    )
