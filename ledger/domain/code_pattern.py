"""What a code looks like: a regular expression of a template, which a hospital may write, matched in linear time."""

from __future__ import annotations

from functools import lru_cache

import re2

CHARACTERS_MAX = 500
"""Characters of a pattern."""
_MEMORY_BYTES_MAX = 1 << 20
"""Memory of one compiled pattern; one that needs more is refused when it is read."""


class BadPattern(ValueError):
    """No regular expression that is matched in linear time: neither look-arounds nor references back are."""


# Python's own engine tries every way to read a text: `(a+)+$` and forty characters would stop a hospital's commands.
@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re2.Pattern:
    options = re2.Options()
    options.max_mem, options.log_errors = _MEMORY_BYTES_MAX, False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        raise BadPattern(str(BadPattern.__doc__)) from error


def check_pattern(pattern: str) -> None:
    """Raises BadPattern where codes cannot be compared with it."""
    if len(pattern) > CHARACTERS_MAX:
        raise BadPattern(f"at most {CHARACTERS_MAX} characters")
    _compiled(pattern)


def has_form(code: str, pattern: str) -> bool:
    """Whether the whole code is of this form."""
    return _compiled(pattern).fullmatch(code) is not None
