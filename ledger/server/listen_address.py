"""Addresses to listen on: loopback only, until callers are authenticated."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass

from ledger.server.errors import NotLoopback

_BACKLOG = 1024


@dataclass(frozen=True)
class ListenAddress:
    """A loopback host and a port; port 0 = any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def parse(setting: str, value: str) -> ListenAddress:
    """The address of a setting. Raises NotLoopback, naming the setting."""
    host, _, port = value.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if host == "localhost":
        host = "127.0.0.1"
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback or not port.isdecimal() or int(port) > 65535:
        raise NotLoopback(setting, value)
    return ListenAddress(host, int(port))


def bound_socket(address: ListenAddress, *, share_port: bool = False) -> socket.socket:
    """A listening socket, which may share its port with others that say so. Raises OSError where the port is taken."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if share_port:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind((address.host, address.port))
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    listener.setblocking(False)  # noqa: FBT003 # the library takes it by position only
    return listener
