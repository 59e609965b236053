"""Every bound of the edge, with its unit in its name."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024 * 1024
BATCH_EVENTS_DEFAULT = 256
BATCH_EVENTS_MAX = 1000
PACKAGE_CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True)
class Limits:
    """What one server process takes on at most."""

    request_bytes_max: int = MIB
    """A request, and one message of a client stream, in protobuf's binary form."""
    response_bytes_max: int = 4 * MIB
    """A response; gRPC clients take no more unless told to."""
    transport_bytes_max: int = 16 * MIB
    """A message on the wire. Between this and `request_bytes_max` the refusal is typed; above it the transport
    refuses by itself, without details. Far enough above that no entry which somebody wrote by hand or scanned gets
    there."""
    calls_in_flight_max: int = 512
    """Unary calls, both protocols together. Who comes to a full server is told so at once: it works no faster with more
    calls under way, and each waits longer."""
    streams_in_flight_max: int = 4096
    """Streaming calls, both protocols together."""
    bulk_commands_in_flight_max: int = 256
    """Commands of one bulk load that wait for their verdict."""
    bulk_bytes_in_flight_max: int = 16 * MIB
    """The same, in bytes."""
    bulk_failures_listed_max: int = 1000
    batch_bytes_max: int = MIB
    """Events in one message of a stream; a single event always fits."""
    status_seconds_max: float = 5.0
    """What a look at the whole service may take."""
    drain_seconds_max: float = 5.0
    """What running calls get to end after the stop was asked for."""
