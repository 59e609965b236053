"""Units of measure by UCUM's grammar (case-sensitive form): prefixes, unit atoms, exponents, products, annotations.

No table of ready units would do: `mL/min/{1.73_m2}` and `10*3/uL` are made when they are needed.
"""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from importlib.resources import files

UNIT_CHARACTERS_MAX = 64

_SYMBOLS = tomllib.loads(files("ledger.domain").joinpath("data", "ucum.toml").read_text(encoding="utf-8"))
_PREFIXES = frozenset(_SYMBOLS["prefixes"])
_METRIC = frozenset(_SYMBOLS["metric"])
_OTHER = frozenset(_SYMBOLS["other"])
_ANNOTATION = r"\{[\x21-\x7a\x7c\x7e]*\}"
_COMPONENT = re.compile(rf"(?P<unit>(?:\[[^\]\s]*\]|[^\s./(){{}}])+)?(?P<note>{_ANNOTATION})?")
_FACTOR = re.compile(r"[0-9]+")
_POWER = re.compile(r"(?P<atom>.*?[^0-9+-])(?P<power>[+-]?[0-9]+)?")
_TOKEN = re.compile(rf"{_ANNOTATION}|\[[^\]\s]*\]|[^\s./(){{}}\[\]]|[./()]")


def is_ucum(unit: str) -> bool:
    """Whether the text is a unit of UCUM."""
    return len(unit) <= UNIT_CHARACTERS_MAX and _reads(unit)


# A group of results names the same few units hundreds of times.
@lru_cache(maxsize=1024)
def _reads(unit: str) -> bool:
    tokens = _TOKEN.findall(unit)
    if "".join(tokens) != unit:
        return False
    reader = _Reader(tokens)
    return reader.main() and not reader.rest


class _Reader:
    """Reads a term by recursive descent; brackets nest no deeper than the text is long."""

    def __init__(self, tokens: list[str]) -> None:
        self.rest = tokens

    def main(self) -> bool:
        """A term, which may begin with a division."""
        if self.rest[:1] == ["/"]:
            self.rest = self.rest[1:]
        return self._term()

    def _term(self) -> bool:
        if not self._component():
            return False
        while self.rest and self.rest[0] in "./":
            self.rest = self.rest[1:]
            if not self._component():
                return False
        return True

    def _component(self) -> bool:
        if self.rest[:1] == ["("]:
            self.rest = self.rest[1:]
            closed = self.main() and self.rest[:1] == [")"]
            self.rest = self.rest[1:]
            return closed
        end = next((index for index, each in enumerate(self.rest) if each in "./()"), len(self.rest))
        text, self.rest = "".join(self.rest[:end]), self.rest[end:]
        found = _COMPONENT.fullmatch(text)
        return found is not None and bool(text) and (found["unit"] is None or _is_simple(found["unit"]))


def _is_simple(text: str) -> bool:
    """A whole number, or a unit atom with its prefix and exponent."""
    if _FACTOR.fullmatch(text):
        return True
    # The powers of ten end with a sign that is no exponent.
    if text[:3] in ("10*", "10^"):
        return re.fullmatch(r"[+-]?[0-9]+|", text[3:]) is not None
    found = _POWER.fullmatch(text)
    return found is not None and _is_atom(found["atom"])


def _is_atom(text: str) -> bool:
    return (
        text in _METRIC
        or text in _OTHER
        or any(text.startswith(prefix) and text[len(prefix) :] in _METRIC for prefix in _PREFIXES)
    )
