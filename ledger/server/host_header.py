"""The Host header of a listener that only this machine may call.

A page of somebody else's in a browser on this machine can point a name of its own at a loopback address (DNS
rebinding). The browser then calls it one origin and needs no CORS header; but it sends the page's own name as Host.
"""

from __future__ import annotations

import ipaddress
import re

_PORT = re.compile(r":[0-9]{1,5}$")


def names_this_machine(host: str) -> bool:
    """Whether a Host header, with or without a port, is `localhost` or a loopback address."""
    name = _PORT.sub("", host.strip())
    if name.lower().removesuffix(".") == "localhost":
        return True
    if name.startswith("[") and name.endswith("]"):
        name = name[1:-1]
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
