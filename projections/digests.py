"""What shows that a view is whole: digests of what it handled and of what it holds."""

from dataclasses import dataclass
from hashlib import sha256

from ledger.views.errors import ViewAbsent
from ledger.views.statements import render, templates
from ledger.views.view import View
from projections.checkpoint import Checkpoint, CheckpointTable
from projections.connections import Connection, Pool
from projections.generation import serving
from projections.tables import generation_name, shared_statements


@dataclass(frozen=True, slots=True)
class ContentDigest:
    """SHA-256 over all rows of a view in canonical order, and how many they are."""

    rows: int
    sha256: str


async def view_digest(pool: Pool, hospital: str, view: View) -> dict[int, Checkpoint]:
    """The checkpoints by partition, with the count and running digest (ledger.views.digest) of what was handled."""
    async with pool.connection() as connection:
        number = await _live(connection, hospital, view)
        return await CheckpointTable(shared_statements(hospital), view.name, number).read(connection)


async def content_digest(pool: Pool, hospital: str, view: View) -> ContentDigest:
    """The digest of all rows that readers see; equal for two builds that handled the same events."""
    async with pool.connection() as connection, connection.transaction():
        return await digest_of_generation(connection, hospital, view, await _live(connection, hospital, view))


async def digest_of_generation(connection: Connection, hospital: str, view: View, number: int) -> ContentDigest:
    """The digest of all rows of one generation."""
    digest, rows = sha256(), 0
    for table in view.tables:
        digest.update(f"{table.name}\n".encode())
        names = {"table": generation_name(hospital, view, number, table.name)}
        query = render(templates("projections", "projector")["content"], names)
        async for (row,) in connection.cursor().stream(query):
            digest.update(f"{len(row)} {row}\n".encode())
            rows += 1
    return ContentDigest(rows, digest.hexdigest())


async def _live(connection: Connection, hospital: str, view: View) -> int:
    live = await serving(connection, hospital, view)
    if live is None:
        raise ViewAbsent(view.name, hospital)
    return live.number
