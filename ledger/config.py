"""The settings of every role: one table, read from the environment, checked at start.

`python -m ledger.config` prints the table for the README.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ledger import setting_checks as check

_PREFIX = "LEDGER_"
_TESTS_OWN = "LEDGER_TEST_"
_CLOCK_MAY_BE_DRIVEN = "LEDGER_TEST_CLOCK"
_SERVERS = (
    "LEDGER_POSTGRES_MIGRATE_URL",
    "LEDGER_POSTGRES_APPEND_URL",
    "LEDGER_POSTGRES_STREAM_URL",
    "LEDGER_POSTGRES_VIEWS_URL",
    "LEDGER_POSTGRES_KEYS_URL",
    "LEDGER_KAFKA_BOOTSTRAP",
)
"""What says where servers are that somebody else runs."""


@dataclass(frozen=True)
class Fault:
    """One setting that cannot be used: its name and what was expected. Never its value, which may be a password."""

    name: str
    expected: str

    def __str__(self) -> str:
        return f"{self.name}: {self.expected}"


class BadSettings(Exception):
    """Settings that cannot be used."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("\n".join([str(BadSettings.__doc__), *map(str, faults)]))
        self.faults = faults


@dataclass(frozen=True)
class Setting:
    """One row of the table; `check` gives the value or raises ValueError with what was expected."""

    field: str
    meaning: str
    default: str
    check: Callable[[str], object]

    @property
    def variable(self) -> str:
        """The environment variable's name."""
        return _PREFIX + self.field.upper()


@dataclass(frozen=True)
class Settings:
    """What the service was told; an empty text or None = not given (see `load`)."""

    postgres_migrate_url: str = field(repr=False)
    postgres_append_url: str = field(repr=False)
    postgres_stream_url: str = field(repr=False)
    postgres_views_url: str = field(repr=False)
    postgres_keys_url: str = field(repr=False)
    key_file: Path | None
    key_passphrase_file: Path | None
    unseal_consumers_file: Path | None
    unseal_token_file: Path | None
    stream: str
    kafka_bootstrap: str
    producers_max: int
    producer_idle_seconds: int
    grpc_listen: str
    http_listen: str
    share_ports: bool
    origin_prefix: str
    partitions: int
    clock_skew_seconds: int
    clock_file: Path | None
    blobs: str
    log_keys: Path | None
    log_verifiers: Path | None
    log_passphrase_file: Path | None
    log_policy: Path | None
    receiver_policy: Path | None
    log_readers: Path | None
    certificates: Path | None
    checkpoint_seconds: int
    data_dir: Path
    cache_dir: Path
    postgres_bin: str
    log_level: str


def load(environment: Mapping[str, str], *needed: str, own_servers: bool = False) -> Settings:
    """The settings of an environment. `needed` names the fields that this role cannot do without.

    `own_servers`: this program runs PostgreSQL and Kafka itself, so nobody else says where they are.
    Raises BadSettings with every fault at once.
    """
    faults = [Fault(name, "unknown; see the README's table of settings") for name in _unknown(environment)]
    if own_servers:
        faults += [
            Fault(name, "not to be set here: this program runs servers of its own")
            for name in _SERVERS
            if environment.get(name)
        ]
    values: dict[str, object] = {}
    for setting in TABLE:
        given = environment.get(setting.variable, "")
        if not given and setting.field in needed and not setting.default:
            faults.append(Fault(setting.variable, f"missing: {setting.meaning}"))
        try:
            values[setting.field] = setting.check(given or setting.default)
        except ValueError as error:
            faults.append(Fault(setting.variable, f"expected {error}"))
    if not own_servers:
        faults += _contradictions(values)
    if environment.get("LEDGER_CLOCK_FILE") and environment.get(_CLOCK_MAY_BE_DRIVEN) != "1":
        faults.append(Fault("LEDGER_CLOCK_FILE", f"for tests alone: {_CLOCK_MAY_BE_DRIVEN}=1 is not set"))
    if faults:
        raise BadSettings(tuple(faults))
    return Settings(**values)  # pyright: ignore[reportArgumentType]  # each check gives its field's type


def settings_table() -> str:
    """The table of settings in Markdown, as the README shows it."""
    rows = [f"| `{row.variable}` | {row.meaning} | {_shown(row.default)} |" for row in TABLE]
    return "\n".join(["| variable | meaning | default |", "|---|---|---|", *rows])


def _unknown(environment: Mapping[str, str]) -> list[str]:
    known = {row.variable for row in TABLE}
    ours = (name for name in environment if name.startswith(_PREFIX) and not name.startswith(_TESTS_OWN))
    return sorted(name for name in ours if name not in known)


def _contradictions(values: Mapping[str, object]) -> Iterator[Fault]:
    if values.get("stream") == "kafka" and values.get("kafka_bootstrap") == "":
        yield Fault("LEDGER_KAFKA_BOOTSTRAP", "missing: LEDGER_STREAM=kafka needs it")


def _shown(default: str) -> str:
    return f"`{default}`" if default else ""


TABLE: tuple[Setting, ...] = (
    Setting(
        "postgres_migrate_url",
        "libpq URL of the role that migrates (`ledger migrate`, adding a hospital, backups)",
        "",
        check.postgres_url,
    ),
    Setting("postgres_append_url", "libpq URL of the role that appends (`ledger serve`)", "", check.postgres_url),
    Setting("postgres_stream_url", "libpq URL of the role that publishes (`ledger publish`)", "", check.postgres_url),
    Setting(
        "postgres_views_url", "libpq URL of the role that keeps the views (`ledger project`)", "", check.postgres_url
    ),
    Setting(
        "postgres_keys_url", "libpq URL of the role that keeps records' keys (`ledger serve`)", "", check.postgres_url
    ),
    Setting("key_file", "file of the key-encryption keys (`ledger serve`, `ledger keys`)", "", check.secret_file),
    Setting("key_passphrase_file", "file of the passphrase of the key file, one line", "", check.secret_file),
    Setting(
        "unseal_consumers_file", "file that says who may have bodies opened (`ledger serve`)", "", check.secret_file
    ),
    Setting(
        "unseal_token_file",
        "file of this program's own token for having bodies opened, one line",
        "",
        check.secret_file,
    ),
    Setting(
        "stream",
        "what carries the published stream: `kafka` or `postgres`",
        "postgres",
        check.one_of("kafka", "postgres"),
    ),
    Setting("kafka_bootstrap", "Kafka's addresses, `host:port`, several separated by commas", "", check.addresses),
    Setting(
        "producers_max",
        "how many hospitals one `ledger publish` publishes at once, each with a producer of its own, 1 to 256",
        "32",
        check.whole_number(256),
    ),
    Setting(
        "producer_idle_seconds",
        "how long a hospital without events keeps its producer, 1 to 3600 seconds; 1 where half of them are taken",
        "60",
        check.whole_number(3600),
    ),
    Setting(
        "grpc_listen", "where gRPC is served; loopback only, port 0 = any free one", "127.0.0.1:7070", check.loopback
    ),
    Setting(
        "http_listen", "where Connect/JSON and `/metrics` are served; loopback only", "127.0.0.1:7080", check.loopback
    ),
    Setting(
        "share_ports",
        "`yes`: other `ledger serve` may listen on the same addresses, and the kernel shares the connections out among "
        "them; `no`: a port that is taken is refused",
        "no",
        check.yes_or_no,
    ),
    Setting(
        "origin_prefix",
        "what every ledger's origin begins with; never changed later",
        "ledger.example",
        check.origin_prefix,
    ),
    Setting("partitions", "partitions of a new hospital's topic, 1 to 256; never changed later", "1", check.partitions),
    Setting(
        "clock_skew_seconds",
        "how far this process's clock may lie off PostgreSQL's before it is decided again, 1 to 60 seconds",
        "5",
        check.skew_seconds,
    ),
    Setting(
        "clock_file",
        "for tests alone, with `LEDGER_TEST_CLOCK=1`: file whose ISO 8601 time is the clock of decisions and deadlines",
        "",
        check.clock_file,
    ),
    Setting(
        "blobs",
        "where the logs' files lie: a folder, or `s3://bucket/prefix` with boto3's `AWS_...` variables; "
        "empty: `log` in `LEDGER_DATA_DIR`",
        "",
        check.blobs,
    ),
    Setting("log_keys", "folder of the logs' note keys; empty: `keys` in `LEDGER_DATA_DIR`", "", check.folder_or_none),
    Setting(
        "log_verifiers",
        "file of the logs' verifier keys, by which heads are believed; empty: `verifiers` in the folder of note keys",
        "",
        check.path_or_none,
    ),
    Setting("log_passphrase_file", "file of yours alone whose first line opens the note keys", "", check.file_or_none),
    Setting("log_policy", "tlog-policy file: which witnesses cosign, and how many must", "", check.file_or_none),
    Setting(
        "receiver_policy",
        "tlog-policy file: keys, URLs and witnesses of the logs of hospitals that send or answer (`ledger consume`)",
        "",
        check.file_or_none,
    ),
    Setting(
        "log_readers",
        "file that says who may read entries and bodies of the logs (docs/log.md)",
        "",
        check.file_or_none,
    ),
    Setting(
        "certificates",
        "file that says whose certificates sign entries, by which anchors (docs/operations.md); empty: nobody's",
        "",
        check.file_or_none,
    ),
    Setting(
        "checkpoint_seconds",
        "how often witnesses are asked to cosign, while something is new, 1 to 60 seconds",
        "5",
        check.checkpoint_seconds,
    ),
    Setting("data_dir", "folder of the embedded servers and of what consumers write", ".ledger", check.folder),
    Setting("cache_dir", "folder of what is fetched once (Kafka's jars)", ".ledger-cache", check.folder),
    Setting(
        "postgres_bin",
        "folder of PostgreSQL's programs for the embedded server; empty: the wheel's",
        "",
        check.programs,
    ),
    Setting("log_level", "least level that is logged", "INFO", check.one_of("DEBUG", "INFO", "WARNING", "ERROR")),
)


if __name__ == "__main__":
    print(settings_table())
