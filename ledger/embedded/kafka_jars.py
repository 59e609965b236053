"""Apache Kafka's jars: fetched once by Maven, each checked against its SHA-256.

`python -m ledger.embedded.kafka_jars` fetches them (`make kafka`).
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from ledger.embedded.errors import EmbeddedError, KafkaUnavailable
from ledger.embedded.java import find_java

_POM = Path(__file__).with_name("kafka-pom.xml")
_DIGESTS = Path(__file__).with_name("kafka-jars.sha256")
_FETCH_SECONDS_MAX = 300


def default_cache() -> Path:
    """Where fetched things are kept: LEDGER_CACHE_DIR, else `.ledger-cache` in the working folder."""
    return Path(os.environ.get("LEDGER_CACHE_DIR") or ".ledger-cache")


def provide_jars(cache: Path | None = None) -> Path:
    """The folder of Kafka's jars, fetched where it is not there yet. Blocks; raises KafkaUnavailable."""
    home = (cache or default_cache()).resolve() / "kafka"
    libs = home / f"libs-{_pinned()[:12]}"
    if not libs.exists():
        home.mkdir(parents=True, exist_ok=True)
        _fetch(libs)
    return libs


def jars_are_there(cache: Path | None = None) -> bool:
    """Whether `provide_jars` would have nothing to fetch."""
    return ((cache or default_cache()) / "kafka" / f"libs-{_pinned()[:12]}").exists()


def _pinned() -> str:
    return hashlib.sha256(_POM.read_bytes() + _DIGESTS.read_bytes()).hexdigest()


def _fetch(libs: Path) -> None:
    with tempfile.TemporaryDirectory(dir=libs.parent, prefix="fetch-") as scratch:
        fresh = Path(scratch) / "libs"
        _run_maven(Path(scratch), fresh)
        _check(fresh)
        try:
            fresh.rename(libs)
        except OSError:
            if not libs.exists():  # otherwise another process was faster, with the same jars
                raise


def _run_maven(scratch: Path, into: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise KafkaUnavailable("Maven (mvn) is not on PATH, and it fetches Kafka", "Install it (Debian: maven).")
    # A repository of our own: nothing is left in the caller's home. -C: a wrong checksum is an error.
    command = [maven, "-q", "-B", "-C", f"-Dmaven.repo.local={scratch / 'repository'}", "-f", str(_POM)]
    command += ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={into}"]
    # Maven looks for a Java on PATH and in JAVA_HOME only; ours may be the wheel's.
    environment = {"JAVA_HOME": str(find_java().parents[1]), **os.environ} if not shutil.which("java") else None
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_FETCH_SECONDS_MAX, check=False, env=environment
        )
    except subprocess.TimeoutExpired:
        raise KafkaUnavailable(
            f"Maven did not finish within {_FETCH_SECONDS_MAX} s", "Is Maven Central reachable?"
        ) from None
    if done.returncode != 0:
        log = into.parents[1] / "maven.log"  # beside the jars: the scratch folder goes
        log.write_text(done.stdout + done.stderr)
        raise KafkaUnavailable(f"Maven could not fetch it, {log} says why", "Is Maven Central reachable?")


def _check(folder: Path) -> None:
    pinned = (line.split() for line in _DIGESTS.read_text().splitlines())
    expected = {name: digest for digest, name in pinned}
    found = {jar.name: hashlib.sha256(jar.read_bytes()).hexdigest() for jar in folder.glob("*.jar")}
    wrong = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
    if wrong:
        raise KafkaUnavailable(
            f"these jars are not the ones of {_DIGESTS.name}: {', '.join(wrong)}", "Fetch them again."
        )


if __name__ == "__main__":
    try:
        provide_jars()
    except EmbeddedError as error:
        sys.exit(str(error))
