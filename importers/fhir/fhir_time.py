"""FHIR's dates and times. A part that is not said is its first moment; a time without a zone is UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_FORM = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:\d\d)?)?)?)?")


def parse_time(text: str) -> datetime | None:
    """The moment in UTC, to the microsecond; None where the text is no FHIR date, dateTime or instant."""
    match = _FORM.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    date = f"{year}-{month or '01'}-{day or '01'}"
    # FHIR allows second 60; the last microsecond before it is the nearest that a datetime can say.
    second, fraction = ("59", "999999") if second == "60" else (second or "00", (fraction or "0")[:6])
    clock = f"{hour or '00'}:{minute or '00'}:{second}.{fraction:0<6}"
    try:
        return datetime.fromisoformat(f"{date}T{clock}{_zone(zone)}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _zone(zone: str | None) -> str:
    return "+00:00" if zone in (None, "Z") else zone
