"""Addresses of other hospitals' services."""

import pytest

from ledger.server.grpc_address import is_grpc_address


@pytest.mark.parametrize(
    "text", ["127.0.0.1:7070", "localhost:1", "ledger.north.example:65535", "north-ledger_1.svc.:443", "[::1]:7070"]
)
def test_a_host_and_a_port(text: str) -> None:
    """A name, an IPv4 address, or an IPv6 address in brackets."""
    assert is_grpc_address(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "north",
        "north:",
        ":7070",
        "north:0",
        "north:65536",
        "north:7_0",
        "north:٣",
        "not an address",
        "nor\0th:1",
        "north:1\n",
        "http://north:1",
        "::1:7070",
        "[north]:1",
        "-north:1",
        "a..b:1",
        "x" * 254 + ":1",
    ],
)
def test_what_is_none(text: str) -> None:
    """Nothing that a client would only fail on later."""
    assert not is_grpc_address(text)
