"""Which Host headers mean this machine."""

import pytest

from ledger.server.host_header import names_this_machine


@pytest.mark.parametrize("host", ["localhost", "localhost:8080", "LocalHost.", "127.0.0.1:1", "127.255.0.9", "[::1]"])
def test_its_own_names(host: str) -> None:
    """With any port, and with none."""
    assert names_this_machine(host)


@pytest.mark.parametrize(
    "host", ["", ":80", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", "[::2]:1", "0"]
)
def test_any_other_name(host: str) -> None:
    """Also one that merely begins like an own one."""
    assert not names_this_machine(host)
