"""Settings are refused by name, all at once, and never shown where they hold a password."""

from dataclasses import fields
from pathlib import Path

import pytest

from ledger.config import TABLE, BadSettings, Settings, load, settings_table

_README = Path(__file__).parents[2] / "README.md"


def _faults(environment: dict[str, str], *needed: str) -> dict[str, str]:
    with pytest.raises(BadSettings) as refused:
        load(environment, *needed)
    return {fault.name: fault.expected for fault in refused.value.faults}


def test_an_empty_environment_gives_the_defaults() -> None:
    """Nothing has to be set for a role that needs nothing."""
    settings = load({})
    assert settings.stream == "postgres"
    assert settings.partitions == 1
    assert settings.grpc_listen == "127.0.0.1:7070"
    assert settings.data_dir == Path(".ledger")


def test_values_of_the_environment_are_taken() -> None:
    """A good value arrives in its own type."""
    settings = load({"LEDGER_PARTITIONS": "6", "LEDGER_STREAM": "kafka", "LEDGER_KAFKA_BOOTSTRAP": "a:1,b:2"})
    assert (settings.partitions, settings.stream, settings.kafka_bootstrap) == (6, "kafka", "a:1,b:2")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("LEDGER_STREAM", "rabbit"),
        ("LEDGER_PARTITIONS", "0"),
        ("LEDGER_PARTITIONS", "many"),
        ("LEDGER_PRODUCERS_MAX", "0"),
        ("LEDGER_PRODUCERS_MAX", "257"),
        ("LEDGER_PRODUCER_IDLE_SECONDS", "3601"),
        ("LEDGER_PRODUCER_IDLE_SECONDS", "1.5"),
        ("LEDGER_GRPC_LISTEN", "0.0.0.0:7070"),
        ("LEDGER_GRPC_LISTEN", "[::]:7070"),
        ("LEDGER_GRPC_LISTEN", "example.org:7070"),
        ("LEDGER_GRPC_LISTEN", "127.0.0.1"),
        ("LEDGER_HTTP_LISTEN", "127.0.0.1:70000"),
        ("LEDGER_POSTGRES_APPEND_URL", "mysql://x/y"),
        ("LEDGER_POSTGRES_APPEND_URL", "postgresql://host"),
        ("LEDGER_KAFKA_BOOTSTRAP", "no-port"),
        ("LEDGER_ORIGIN_PREFIX", "Ledger Example"),
        ("LEDGER_LOG_LEVEL", "loud"),
        ("LEDGER_POSTGRES_BIN", "/does/not/exist"),
        ("LEDGER_KAFKA_BOOTSTRAP", "a:99999"),
        ("LEDGER_KAFKA_BOOTSTRAP", "a:0"),
        ("LEDGER_POSTGRES_VIEWS_URL", "postgresql://u@h:abc/d"),
        ("LEDGER_POSTGRES_VIEWS_URL", "postgresql://u@h1:5432,h2:99999/d"),
        ("LEDGER_PARTITIONS", "٦"),
        ("LEDGER_GRPC_LISTEN", "127.0.0.1:٦"),
        ("LEDGER_DATA_DIR", __file__),
        ("LEDGER_CACHE_DIR", f"{__file__}/below"),
    ],
)
def test_a_bad_value_is_refused_by_name(variable: str, value: str) -> None:
    """The fault names the variable and says what was expected."""
    faults = _faults({variable: value})
    assert list(faults) == [variable]
    assert faults[variable].startswith("expected ")


@pytest.mark.parametrize("address", ["127.0.0.1:0", "127.5.5.5:1", "localhost:7070", "[::1]:7070"])
def test_loopback_is_allowed(address: str) -> None:
    """Every address that only this machine reaches."""
    assert load({"LEDGER_GRPC_LISTEN": address}).grpc_listen == address


@pytest.mark.parametrize(
    "url", ["postgresql:///d", "postgresql://u:p%40@h:5432/d", "postgresql://[::1]:5432/d", "postgres://h1,h2:5433/d"]
)
def test_urls_of_libpq_are_taken(url: str) -> None:
    """With and without user, port and host; several hosts; an address of version 6."""
    assert load({"LEDGER_POSTGRES_VIEWS_URL": url}).postgres_views_url == url


def test_servers_of_ones_own_are_not_named_by_others() -> None:
    """A program that runs PostgreSQL and Kafka itself refuses to be told where they are, and needs not to be."""
    assert load({"LEDGER_STREAM": "kafka"}, own_servers=True).stream == "kafka"
    told = {"LEDGER_KAFKA_BOOTSTRAP": "a:1", "LEDGER_POSTGRES_STREAM_URL": "postgresql://h/d"}
    with pytest.raises(BadSettings) as refused:
        load(told, own_servers=True)
    assert {fault.name for fault in refused.value.faults} == set(told)


def test_all_faults_come_at_once() -> None:
    """Nobody has to start three times to learn of three faults."""
    faults = _faults({"LEDGER_STREAM": "x", "LEDGER_PARTITIONS": "x", "LEDGER_LOG_LEVEL": "x"}, "postgres_append_url")
    assert len(faults) == 4


def test_what_a_role_needs_is_asked_for() -> None:
    """A missing setting is named only to the role that needs it."""
    assert "missing" in _faults({}, "postgres_views_url")["LEDGER_POSTGRES_VIEWS_URL"]


def test_kafka_needs_an_address() -> None:
    """The published stream on Kafka without a broker is refused at start."""
    assert "missing" in _faults({"LEDGER_STREAM": "kafka"})["LEDGER_KAFKA_BOOTSTRAP"]


def test_a_misspelt_name_is_refused() -> None:
    """An unknown LEDGER_ variable would otherwise be a setting that silently does nothing."""
    assert "unknown" in _faults({"LEDGER_PARTITION": "6"})["LEDGER_PARTITION"]


def test_passwords_are_never_shown() -> None:
    """Neither a fault nor the settings' own text holds a URL."""
    secret = {"LEDGER_POSTGRES_APPEND_URL": "postgresql://u:hush@h/d"}
    assert "hush" not in repr(load(secret))
    with pytest.raises(BadSettings) as refused:
        load({"LEDGER_POSTGRES_APPEND_URL": "mysql://u:hush@h/d"})
    assert "hush" not in str(refused.value)


def test_every_setting_has_one_row() -> None:
    """The table is the whole truth."""
    assert [row.field for row in TABLE] == [one.name for one in fields(Settings)]


def test_the_readme_shows_this_table() -> None:
    """`python -m ledger.config` prints what the README has to hold."""
    assert settings_table() in _README.read_text()


def test_a_driven_clock_is_for_tests_alone(tmp_path: Path) -> None:
    """A file stands for the clock only where LEDGER_TEST_CLOCK=1 says so, and only with a time and its zone in it."""
    file = tmp_path / "now"
    file.write_text("2041-03-02T00:00:00+00:00\n")
    assert load({"LEDGER_CLOCK_FILE": str(file), "LEDGER_TEST_CLOCK": "1"}).clock_file == file
    for told in ({}, {"LEDGER_TEST_CLOCK": "0"}):
        assert "LEDGER_TEST_CLOCK=1" in _faults({"LEDGER_CLOCK_FILE": str(file), **told})["LEDGER_CLOCK_FILE"]
    for wrong in ("2041-03-02T00:00:00", "tomorrow", ""):
        file.write_text(wrong)
        told = {"LEDGER_CLOCK_FILE": str(file), "LEDGER_TEST_CLOCK": "1"}
        assert "expected" in _faults(told)["LEDGER_CLOCK_FILE"]
