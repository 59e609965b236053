"""A real KeyService on loopback that opens under the fixed key, for programs that are processes of their own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc.aio
from prometheus_client import CollectorRegistry
from typing_extensions import override

from ledger.api.v1.keys_pb2 import UnsealPurpose, UnsealRequest, UnsealResponse
from ledger.api.v1.keys_pb2_grpc import KeyServiceServicer, add_KeyServiceServicer_to_server
from ledger.keys.consumers_file import EVERY_HOSPITAL, Consumers, consumer
from ledger.keys.unsealing import Unsealing
from ledger.server.caller import current_authorization
from ledger.server.key_service import KeyService
from tests.services.sealed import FIXED_KEY

TOKEN = "a token for tests, of no service"


class HeldCall:
    """Holds one Unseal call, the `number`th, until `let_go`; the others pass."""

    def __init__(self, number: int) -> None:
        self.reached = asyncio.Event()
        self._left = number
        self._let_go = asyncio.Event()

    def let_go(self) -> None:
        """The call is answered."""
        self._let_go.set()

    async def pass_through(self) -> None:
        """Counts a call, and holds the one."""
        self._left -= 1
        if self._left == 0:
            self.reached.set()
            await self._let_go.wait()


class _Servicer(KeyServiceServicer):
    def __init__(self, service: KeyService, held: HeldCall | None) -> None:
        self._service = service
        self._held = held

    @override
    async def Unseal(self, request: UnsealRequest, context: Any) -> UnsealResponse:  # pyright: ignore[reportIncompatibleMethodOverride]
        if self._held is not None:
            await self._held.pass_through()
        current_authorization.set(dict(context.invocation_metadata()).get("authorization"))
        return await self._service.unseal(request)


def fixed_key_service() -> KeyService:
    """The handler; every purpose and hospital is allowed to TOKEN."""
    consumers = Consumers([consumer("tests", TOKEN, *UnsealPurpose.values(), hospitals=[EVERY_HOSPITAL])])
    return KeyService(Unsealing(consumers, FIXED_KEY, CollectorRegistry()))


@asynccontextmanager
async def serving_fixed_key(address: str = "127.0.0.1:0", held: HeldCall | None = None) -> AsyncGenerator[str]:
    """Its address while the block runs."""
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    add_KeyServiceServicer_to_server(_Servicer(fixed_key_service(), held), server)  # pyright: ignore[reportArgumentType]  # an aio server
    port = server.add_insecure_port(address)
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)


def token_file(folder: Path) -> Path:
    """A file that holds TOKEN, as programs want it."""
    file = folder / "token"
    file.write_text(TOKEN)
    file.chmod(0o600)
    return file
