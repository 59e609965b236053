"""LOINC codes by their form: digits, a hyphen, and a check digit that finds a slip of the keyboard."""

import re

SYSTEM = "http://loinc.org"
_NUMBER = re.compile(r"([0-9]{1,7})-([0-9])")
_OTHER = re.compile(r"(LA|LG|LL|LP)[0-9]{1,7}-[0-9]")
"""Answers, groups, answer lists and parts; their last digit is made in another way and is not checked."""


def is_loinc(code: str) -> bool:
    """Whether a code can be one of LOINC. Whether LOINC has it nobody can say here: its table is licensed apart."""
    found = _NUMBER.fullmatch(code)
    if found is None:
        return _OTHER.fullmatch(code) is not None
    return _check_digit(found.group(1)) == int(found.group(2))


def _check_digit(digits: str) -> int:
    """Modulus 10: from the right every other digit, the last one first, counts twice, by the sum of its digits."""
    doubled = (int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(digits)))
    return -sum(value // 10 + value % 10 for value in doubled) % 10
