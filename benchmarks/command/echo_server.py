"""The baseline: grpc.aio in a process of its own that reads a message and gives it back, and does nothing else."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any

import grpc.aio

from ledger.api.v1.records_pb2 import RecordEntryRequest

SERVICE, METHOD = "ledger.bench.Echo", "Echo"


async def _echo(request: RecordEntryRequest, _: Any) -> RecordEntryRequest:
    return request


async def _serve(ready: Path) -> None:
    server = grpc.aio.server()
    handler = grpc.unary_unary_rpc_method_handler(
        _echo,
        request_deserializer=RecordEntryRequest.FromString,
        response_serializer=RecordEntryRequest.SerializeToString,
    )
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, {METHOD: handler}),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    made = ready.with_suffix(".made")
    made.write_text(json.dumps({"grpc": f"127.0.0.1:{port}"}))
    made.replace(ready)
    await stop.wait()
    await server.stop(1)


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[sys.argv.index("--ready-file") + 1])))
