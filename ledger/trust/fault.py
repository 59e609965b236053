"""What is wrong with bytes that claim to be an envelope."""


class EnvelopeFault(Exception):
    """These bytes are not an envelope."""

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(f"not an envelope: {reason} (at byte {offset})")
        self.reason = reason
        self.offset = offset


class UnknownFormat(EnvelopeFault):
    """An envelope of a format that this release does not know; a later one wrote it."""


class EnvelopeTooLarge(Exception):
    """An envelope may have at most 4096 bytes."""

    def __init__(self, size_bytes: int) -> None:
        super().__init__(f"an envelope of {size_bytes} bytes; at most 4096 are allowed")
        self.size_bytes = size_bytes
