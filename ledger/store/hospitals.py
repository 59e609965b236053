"""The registry of hospitals: which ledgers there are, where they lie, how far their schema is."""

import re
from dataclasses import dataclass

from ledger.domain.defaults import DEFAULT_PACK
from ledger.store.connections import ConnectionPool
from ledger.store.errors import HospitalDiffers
from ledger.store.migrate import MigrateConnection, migrate_connection, migrate_hospital
from ledger.store.statements import statements
from ledger.trust.lineage import is_at_or_after

HOSPITAL_ID = re.compile(r"[a-z][a-z0-9-]{1,30}")


@dataclass(frozen=True, slots=True)
class HospitalRow:
    """One hospital of the registry."""

    id: str
    origin: str
    cluster: str
    partitions: int
    state: str
    """`adding` until its schema is there, then `active`; `closed` takes no appends."""
    schema_version: int
    address: str
    """Where its public API answers, as other hospitals reach it."""
    rule_pack: str = DEFAULT_PACK
    """Id of the rules that new records are registered under."""
    display_name: str = ""
    """What people call it; empty = nobody has said."""


async def add_hospital(
    migrate_url: str,
    hospital: str,
    *,
    origin_prefix: str,
    partitions: int = 1,
    address: str = "",
    cluster: str = "default",
    rule_pack: str = DEFAULT_PACK,
    display_name: str = "",
) -> HospitalRow:
    """Registers a hospital and builds its schema, on a connection of its own; the same again changes nothing.

    ValueError for a malformed id or origin prefix; HospitalDiffers where it exists with another origin, partition
    count or rule pack, at another address or under another name; an empty `address` or name asks for none.
    """
    if not HOSPITAL_ID.fullmatch(hospital):
        raise ValueError("a hospital id is a lower-case letter and 1 to 30 letters, digits or hyphens")
    if not origin_prefix or any(character.isspace() for character in origin_prefix):
        raise ValueError("an origin prefix is not empty and holds no white space")
    origin = f"{origin_prefix}/{hospital}/1"
    async with migrate_connection(migrate_url) as connection:
        async with connection.transaction():
            await connection.execute(statements("migrate")["become_owner"])
            values = (hospital, origin, cluster, partitions, address, rule_pack, display_name)
            await connection.execute(statements("migrate")["register_hospital"], values)
            await connection.execute(statements("migrate")["name_hospital"], (hospital, display_name))
        await migrate_hospital(connection, hospital)
        row = await _registered(connection, hospital)
    same = (row.partitions, row.rule_pack) == (partitions, rule_pack)
    # Its first log may have ended since.
    if not same or not is_at_or_after(row.origin, origin) or address not in ("", row.address):
        raise HospitalDiffers(hospital)
    if display_name not in ("", row.display_name):
        raise HospitalDiffers(hospital)
    return row


async def _registered(connection: MigrateConnection, hospital: str) -> HospitalRow:
    found = await (await connection.execute(statements("migrate")["hospital"], (hospital,))).fetchone()
    assert found is not None, "the hospital was registered above"  # noqa: S101
    return HospitalRow(*found)


async def list_hospitals(pool: ConnectionPool) -> list[HospitalRow]:
    """All hospitals of the registry, by id; one indexed read, meant to be polled."""
    rows = await pool.rows(statements("reading")["list_hospitals"])
    return [HospitalRow(*row) for row in rows]


async def hospital(pool: ConnectionPool, hospital_id: str) -> HospitalRow | None:
    """One hospital of the registry; None where it is not registered."""
    rows = await pool.rows(statements("reading")["hospital"], (hospital_id,))
    return HospitalRow(*rows[0]) if rows else None
