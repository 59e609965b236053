"""Addresses at which another hospital's service is called."""

from __future__ import annotations

import ipaddress
import re

_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")
_NAME_CHARACTERS_MAX = 253
_PORT_MAX = 65535


def is_grpc_address(text: str) -> bool:
    """Whether it is `host:port`; the host a name, an IPv4 address, or an IPv6 address in brackets."""
    host, _, port = text.rpartition(":")
    if not re.fullmatch(r"[0-9]{1,5}", port) or not 1 <= int(port) <= _PORT_MAX:
        return False
    if host.startswith("[") and host.endswith("]"):
        return _is_ipv6(host[1:-1])
    return len(host) <= _NAME_CHARACTERS_MAX and _NAME.fullmatch(host) is not None


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True
