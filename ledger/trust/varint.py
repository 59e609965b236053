"""Unsigned base-128 varints of at most 64 bits, as protobuf writes them."""

from ledger.trust.fault import EnvelopeFault

_LENGTH_BYTES_MAX = 10
UINT64_MAX = (1 << 64) - 1


def write_varint(value: int) -> bytes:
    """The shortest varint of `value`, 0 to 2^64 - 1."""
    if value < 0x80:
        return bytes((value,))
    written = bytearray()
    while value >= 0x80:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)


def read_varint(data: bytes, offset: int) -> tuple[int, int]:
    """The varint at `offset` and the offset after it; EnvelopeFault for one cut short, too large or not shortest."""
    value = shift = 0
    for at in range(offset, min(offset + _LENGTH_BYTES_MAX, len(data))):
        byte = data[at]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            _check(value, byte, at, offset)
            return value, at + 1
        shift += 7
    raise EnvelopeFault("varint cut short or longer than 10 bytes", offset)


def _check(value: int, last_byte: int, at: int, offset: int) -> None:
    if last_byte == 0 and at > offset:
        raise EnvelopeFault("varint not in its shortest form", offset)
    if value > UINT64_MAX:
        raise EnvelopeFault("varint above 64 bits", offset)
