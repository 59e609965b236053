"""The generation of a view that is being built: begun, or gone on with after a kill."""

import logging

from ledger.views.view import View
from projections.connections import Connection
from projections.generation import Generation, add_building, discard, generations, prepare
from projections.projector import Projector
from projections.session import Tools
from projections.tables import shared_statements

_log = logging.getLogger(__name__)


async def begin_anew(tools: Tools, hospital: str, partitions: int, view: View, epoch: int) -> Projector:
    """A projector of a new generation; what earlier ones left behind is dropped."""
    async with tools.pool.connection() as connection:
        await prepare(connection, hospital)
        for left_over in await _building(connection, hospital, view):
            await discard(connection, hospital, view, left_over.number)
        return await _begun(connection, tools, hospital, partitions, view, epoch)


async def begin_or_go_on(tools: Tools, hospital: str, partitions: int, view: View, epoch: int) -> Projector:
    """A projector of the generation that a killed rebuild left behind, or of a new one where none is of use.

    Of use are rows of this release's meaning, from a stream that is laid out as it is now.
    """
    async with tools.pool.connection() as connection:
        await prepare(connection, hospital)
        *unfit, last = [None, *await _building(connection, hospital, view)]
        if last is not None and not await _is_fit(connection, hospital, view, last, partitions):
            unfit.append(last)
            last = None
        for left_over in filter(None, unfit):
            await discard(connection, hospital, view, left_over.number)
        if last is None:
            return await _begun(connection, tools, hospital, partitions, view, epoch)
        projector = Projector(hospital, view, last.number, epoch, tools.stopped_max, building=True)
        await projector.take_over(connection)
    about = {"hospital": hospital, "view": view.name, "events": projector.events}
    _log.info("goes on with what an earlier rebuild has left", extra=about)
    return projector


async def _begun(
    connection: Connection, tools: Tools, hospital: str, partitions: int, view: View, epoch: int
) -> Projector:
    building = await add_building(connection, hospital, view, partitions)
    projector = Projector(hospital, view, building.number, epoch, tools.stopped_max, building=True)
    await projector.take_over(connection)
    return projector


async def _building(connection: Connection, hospital: str, view: View) -> list[Generation]:
    return [each for each in await generations(connection, hospital, view) if each.state == "building"]


async def _is_fit(connection: Connection, hospital: str, view: View, left: Generation, partitions: int) -> bool:
    parameters = (view.name, left.number)
    row = await (await connection.execute(shared_statements(hospital)["handled"], parameters)).fetchone()
    return row is not None and (left.schema_version, row[1]) == (view.schema_version, partitions)
