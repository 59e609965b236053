"""Base64 of RFC 4648, section 4, with one spelling per value: padded, no whitespace, no spare bits."""

import base64
import binascii


def to_base64(data: bytes) -> str:
    """The one spelling of `data`."""
    return base64.b64encode(data).decode("ascii")


def from_base64(text: str) -> bytes | None:
    """The bytes, or None for any text that `to_base64` does not write.

    A second spelling would be a second file with the same meaning: a bit that could be flipped unseen.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if to_base64(data) == text else None
