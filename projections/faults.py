"""What keeps a view from going on though no poison does: told in its state until it goes on."""

from ledger.views.view import View
from projections.connections import Connection
from projections.tables import shared_statements


async def note_fault(connection: Connection, hospital: str, view: View, fault: str) -> None:
    """From now on the view's state is this fault."""
    await connection.execute(shared_statements(hospital)["note_fault"], (view.name, fault))


async def forget_fault(connection: Connection, hospital: str, view: View) -> None:
    """The view has gone on."""
    await connection.execute(shared_statements(hospital)["forget_fault"], (view.name,))
