"""DER (X.690), as far as a signature needs it: tags of one byte, definite and shortest lengths, nothing left over.

Strict on purpose: bytes that two readers may read in two ways are refused before anything is believed of them.
"""

from __future__ import annotations

from dataclasses import dataclass

INTEGER, OCTETS, NULL, OID, ENUMERATED = 0x02, 0x04, 0x05, 0x06, 0x0A
GENERALIZED_TIME = 0x18
SEQUENCE, SET = 0x30, 0x31
_LONG_TAG = 0x1F
_LONG_LENGTH = 0x80
_LENGTH_BYTES_MAX = 4


class DerFault(ValueError):
    """These bytes are not DER of the form that is asked for."""


@dataclass(frozen=True, slots=True)
class Element:
    """One value with its tag."""

    tag: int
    content: bytes
    der: bytes
    """The element as it stands, tag and length included."""


def context(number: int, *, constructed: bool = True) -> int:
    """The tag of a field that its structure numbers."""
    return (0xA0 if constructed else 0x80) | number


def elements(data: bytes) -> list[Element]:
    """The elements that fill `data`. Raises DerFault."""
    found: list[Element] = []
    at = 0
    while at < len(data):
        begin, end = _content(data, at)
        found.append(Element(data[at], data[begin:end], data[at:end]))
        at = end
    return found


def only(data: bytes, tag: int) -> Element:
    """The one element that `data` is. Raises DerFault."""
    match elements(data):
        case [Element() as element] if element.tag == tag:
            return element
        case _:
            raise DerFault


def parts(element: Element, tag: int) -> list[Element]:
    """What an element of that tag holds. Raises DerFault for another."""
    if element.tag != tag:
        raise DerFault
    return elements(element.content)


def framed(tag: int, content: bytes) -> bytes:
    """The element of a tag and content."""
    size = len(content)
    if size < _LONG_LENGTH:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, _LONG_LENGTH | len(length))) + length + content


def integer(element: Element) -> int:
    """The number of an INTEGER. Raises DerFault."""
    if element.tag != INTEGER or not element.content:
        raise DerFault
    return int.from_bytes(element.content, "big", signed=True)


def _content(data: bytes, at: int) -> tuple[int, int]:
    """Where the content of the element at `at` begins and ends."""
    if at + 2 > len(data) or data[at] & _LONG_TAG == _LONG_TAG:
        raise DerFault
    first, begin = data[at + 1], at + 2
    if first < _LONG_LENGTH:
        size = first
    else:
        count = first & 0x7F
        length = data[begin : begin + count]
        if not 0 < count <= _LENGTH_BYTES_MAX or len(length) < count:
            raise DerFault
        begin, size = begin + count, int.from_bytes(length, "big")
        if size < _LONG_LENGTH or length[0] == 0:
            raise DerFault
    if begin + size > len(data):
        raise DerFault
    return begin, begin + size
