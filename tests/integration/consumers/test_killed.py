"""The real program `ledger consume transfers`, killed with -9 again and again while transfers run."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from hashlib import sha256

from ledger.api.v1 import common_pb2 as common
from ledger.cli.role_process import RoleProcess
from tests.eventually import eventually_async
from tests.integration.consumers.hospitals import Hospitals
from tests.services.key_service import token_file

TRANSFERS = 12
KILLS = 5


async def test_killed_at_any_moment_it_receives_and_answers_every_offer_once(hospitals: Hospitals) -> None:
    """Every package received, verified and accepted once, every record's transfer completed, every file whole."""
    offers: dict[str, str] = {}
    for _ in range(TRANSFERS):
        record_id = await hospitals.record(notes=1)
        offers[await hospitals.offer(record_id)] = record_id
    program = RoleProcess("consume", ("consume", "transfers"), hospitals.folder, _environment(hospitals))
    program.start()
    try:
        for kill in range(KILLS):
            await _south_has(hospitals, (kill + 1) * 3 * TRANSFERS // (KILLS + 2))
            os.kill(program.pid, signal.SIGKILL)
            await eventually_async(lambda: asyncio.to_thread(program.restart_if_dead), what="the kill")
        for transfer_id, record_id in offers.items():
            await hospitals.sent_state(record_id, transfer_id, common.TRANSFER_STATE_COMPLETED)
    finally:
        await program.stop(10.0)
    assert Counter(await hospitals.event_types("south")) == {
        "PackageReceived": TRANSFERS,
        "PackageVerified": TRANSFERS,
        "PackageAccepted": TRANSFERS,
    }
    answered = Counter(await hospitals.event_types("north"))
    assert (answered["TransferAccepted"], answered["TransferCompleted"]) == (TRANSFERS, TRANSFERS)
    for transfer_id in offers:
        package = await hospitals.received(transfer_id)
        assert package is not None
        kept = hospitals.folder / "consumers" / "south" / "packages" / f"{transfer_id}.pkg"
        assert sha256(kept.read_bytes()).digest() == package.package_sha256


async def _south_has(hospitals: Hospitals, events: int) -> None:
    async def there() -> bool:
        return len(await hospitals.event_types("south")) >= events

    await eventually_async(there, what=f"{events} events at south")


def _environment(hospitals: Hospitals) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LEDGER_")}
    return {
        **inherited,
        "LEDGER_POSTGRES_STREAM_URL": hospitals.settings.postgres_stream_url,
        "LEDGER_GRPC_LISTEN": hospitals.address,
        "LEDGER_UNSEAL_TOKEN_FILE": str(token_file(hospitals.folder)),
        "LEDGER_DATA_DIR": str(hospitals.folder),
    }
