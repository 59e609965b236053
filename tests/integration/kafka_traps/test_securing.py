"""A wrong password, a missing CA, plaintext spoken to TLS: the library says the same of all of them."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from ledger.embedded.java import find_java
from ledger.embedded.kafka import EmbeddedKafka
from ledger.embedded.ports import free_port
from ledger.stream.contract import StreamUnavailable
from ledger.stream.kafka.connecting import broker_errors, build
from ledger.stream.kafka.reader import KafkaStreamReader

pytestmark = pytest.mark.timeout(150)
"""What says nothing in time is a failure, never a wait."""
PASSWORD = "right-" + uuid4().hex
_STORE = "changeit"


@dataclass(frozen=True)
class Guarded:
    """A broker's two guarded listeners, and the CA that vouches for the second."""

    sasl: str
    tls: str
    ca: Path


@pytest.fixture(scope="module")
def guarded(services_folder: Path, kafka_jars: Path) -> Iterator[Guarded]:
    """A broker with a listener for passwords and one for TLS beside its own."""
    folder = services_folder / f"kafka-{uuid4().hex[:6]}"
    folder.mkdir(parents=True)
    broker, controller, sasl, tls = (free_port() for _ in range(4))
    (folder / "ports.json").write_text(json.dumps({"broker": broker, "controller": controller}))
    store, ca = folder / "broker.p12", folder / "ca.pem"
    _keytool(
        store, "-genkeypair", "-keyalg", "EC", "-dname", "CN=127.0.0.1", "-ext", "SAN=IP:127.0.0.1", "-validity", "2"
    )
    _keytool(store, "-exportcert", "-rfc", "-file", str(ca))
    addresses = [f"BROKER://127.0.0.1:{broker}", f"SASL://127.0.0.1:{sasl}", f"TLS://127.0.0.1:{tls}"]
    module = "org.apache.kafka.common.security.plain.PlainLoginModule"
    settings = {
        "listeners": ",".join([*addresses, f"CONTROLLER://127.0.0.1:{controller}"]),
        "advertised.listeners": ",".join(addresses),
        "listener.security.protocol.map": "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL:SASL_PLAINTEXT,TLS:SSL",
        "sasl.enabled.mechanisms": "PLAIN",
        "listener.name.sasl.plain.sasl.jaas.config": f'{module} required user_north="{PASSWORD}";',
        "ssl.keystore.location": str(store),
        "ssl.keystore.type": "PKCS12",
        "ssl.keystore.password": _STORE,
    }
    with EmbeddedKafka(folder, cache=kafka_jars, settings=settings):
        yield Guarded(f"127.0.0.1:{sasl}", f"127.0.0.1:{tls}", ca)


def _keytool(store: Path, *arguments: str) -> None:
    tool = [str(find_java()), "-m", "java.base/sun.security.tools.keytool.Main"]
    common = ["-alias", "broker", "-keystore", str(store), "-storetype", "PKCS12", "-storepass", _STORE]
    subprocess.run([*tool, *arguments, *common], check=True, capture_output=True, timeout=60)


def by_password(password: str) -> dict[str, object]:
    """Settings of a client that gives a password."""
    return {
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "PLAIN",
        "sasl_plain_username": "north",
        "sasl_plain_password": password,
    }


def refusal(address: str, **settings: object) -> str:
    """What the product's own way to a client says, within its time."""
    with pytest.raises(StreamUnavailable) as raised, broker_errors("connecting"):
        build(KafkaAdminClient, address, **settings)
    return str(raised.value)


def test_right_ways_in_are_let_in(guarded: Guarded) -> None:
    """Else the refusals below would prove nothing."""
    ways = [(guarded.sasl, by_password(PASSWORD))]
    ways += [(guarded.tls, {"security_protocol": "SSL", "ssl_cafile": str(guarded.ca)})]
    for address, settings in ways:
        client = build(KafkaAdminClient, address, **settings)
        assert client.describe_cluster()["brokers"]
        client.close()


@pytest.mark.usefixtures("hurried")
def test_wrong_password_is_named_as_a_cause(guarded: Guarded) -> None:
    """And the password is not repeated."""
    said = refusal(guarded.sasl, **by_password("wrong-password"))
    assert "a wrong user or password" in said
    assert "wrong-password" not in said


@pytest.mark.usefixtures("hurried")
def test_missing_ca_is_named_as_a_cause(guarded: Guarded) -> None:
    """The certificate is nobody's that the client knows."""
    assert "a missing CA" in refusal(guarded.tls, security_protocol="SSL")


@pytest.mark.usefixtures("hurried")
def test_plaintext_to_a_tls_listener_is_named_as_a_cause(guarded: Guarded) -> None:
    """Through the reader that every view uses, within its time."""
    with pytest.raises(StreamUnavailable, match="plaintext spoken to a TLS listener"):
        KafkaStreamReader(guarded.tls, "ledger.records.north")


def test_library_alone_names_none_of_them(guarded: Guarded) -> None:
    """The trap: one and the same word for all of them and for a broker that is not there."""
    ways: list[tuple[str, dict[str, object]]] = [
        (guarded.sasl, by_password("wrong-password")),
        (guarded.tls, {"security_protocol": "SSL"}),
        (guarded.tls, {}),
        (f"127.0.0.1:{free_port()}", {}),
    ]
    said: list[str] = []
    for address, settings in ways:
        with pytest.raises(KafkaError) as raised:
            KafkaAdminClient(bootstrap_servers=address, bootstrap_timeout_ms=1500, **settings).close()
        said.append(str(raised.value).replace(address, "it"))
    assert len(set(said)) == 1, said
