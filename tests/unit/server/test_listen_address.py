"""Where the edge listens."""

import pytest

from ledger.server.errors import NotLoopback
from ledger.server.listen_address import ListenAddress, bound_socket, parse


@pytest.mark.parametrize(
    ("value", "shown"), [("127.0.0.1:0", "127.0.0.1:0"), ("localhost:7070", "127.0.0.1:7070"), ("[::1]:1", "[::1]:1")]
)
def test_loopback_addresses_are_taken(value: str, shown: str) -> None:
    """Any spelling of this machine."""
    assert str(parse("grpc_listen", value)) == shown


@pytest.mark.parametrize(
    "value", ["0.0.0.0:7070", "192.168.1.5:7070", "[::]:1", ":7070", "example.org:1", "127.0.0.1", "127.0.0.1:99999"]
)
def test_anything_else_is_refused_by_the_setting_s_name(value: str) -> None:
    """Without authentication nobody from outside may reach the service."""
    with pytest.raises(NotLoopback) as refusal:
        parse("grpc_listen", value)
    assert refusal.value.setting == "grpc_listen"


def test_a_port_is_shared_only_by_those_who_say_so() -> None:
    """Two servers on one port by mistake would share its calls in silence."""
    with bound_socket(ListenAddress("127.0.0.1", 0), share_port=True) as first:
        port = first.getsockname()[1]
        bound_socket(ListenAddress("127.0.0.1", port), share_port=True).close()
        with pytest.raises(OSError, match="in use"):
            bound_socket(ListenAddress("127.0.0.1", port))
