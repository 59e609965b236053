"""Numbers of the text formats: ASCII decimals without leading zeroes, 0 to 2^63 - 1."""

import re

from ledger.trust.merkle import TREE_SIZE_MAX

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


def from_decimal(text: str) -> int | None:
    """The number, or None for any other spelling or a number above 2^63 - 1."""
    if not _DECIMAL.fullmatch(text) or int(text) > TREE_SIZE_MAX:
        return None
    return int(text)
