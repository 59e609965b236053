"""Free ports on loopback."""

import secrets
import socket

LOOPBACK = "127.0.0.1"
# Below the range from which Linux takes the local port of an outgoing connection: a client that tries a port of that
# range again and again can connect to itself, and then the server can never bind it.
_RANGE = range(20_000, 32_768)
_ATTEMPTS_MAX = 100


class NoFreePort(Exception):
    """No free port was found on loopback."""


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of loopback now."""
    with socket.socket() as candidate:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """A port of loopback on which nobody listens now; chosen at random, so that two callers hardly ever meet."""
    for _ in range(_ATTEMPTS_MAX):
        # Of the system's own randomness: programs that seed Python's alike would all come to the same ports.
        port = secrets.choice(_RANGE)
        if is_free(port):
            return port
    raise NoFreePort(NoFreePort.__doc__)
