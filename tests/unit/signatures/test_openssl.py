"""What OpenSSL signs the ledger takes, and what the ledger keeps OpenSSL verifies: a checker needs no ledger."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from ledger.signatures.check import check_signature
from tests.unit.signatures.authority import AT, Party, world
from tests.unit.signatures.test_check import BYTES, asked, making, rules, trust

_FOUND = shutil.which("openssl")
pytestmark = [pytest.mark.unit, pytest.mark.skipif(_FOUND is None, reason="no openssl on this machine")]

_STAMPING = """
[tsa]
serial = {folder}/serial
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256
accuracy = secs:1
ordering = yes
tsa_name = yes
ess_cert_id_alg = sha256
"""


def openssl(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """What the program said and how it ended."""
    assert _FOUND is not None
    return subprocess.run([_FOUND, *arguments], cwd=folder, capture_output=True, check=False, timeout=60)


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """The files of a signing client."""
    of = world()
    for name, party in {"doctor": of.doctor, "issuing": of.issuing, "root": of.root, "clock": of.clock}.items():
        _put(tmp_path, name, party)
    (tmp_path / "signed").write_bytes(BYTES)
    return tmp_path


def _put(folder: Path, name: str, party: Party) -> None:
    (folder / f"{name}.pem").write_bytes(party.certificate.public_bytes(Encoding.PEM))
    key = party.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / f"{name}.key").write_bytes(key)


def _verified(folder: Path, content: str) -> int:
    words = "cms -verify -binary -inform DER -in kept.cms -CAfile root.pem -purpose any -out /dev/null -content"
    return openssl(folder, *words.split(), content, "-attime", str(int(AT.timestamp()))).returncode


@pytest.mark.parametrize("stamped", [False, True])
def test_openssl_verifies_what_is_kept_and_nothing_else(desk: Path, stamped: bool) -> None:
    """The two files and the anchors are enough; with one byte of the signed bytes changed they are not."""
    made = making().with_token(world().clock) if stamped else making()
    (desk / "kept.cms").write_bytes(made.der())
    (desk / "other").write_bytes(BYTES + b"\n")
    assert _verified(desk, "signed") == 0
    assert _verified(desk, "other") != 0


@pytest.mark.parametrize("more", [[], ["-cades"], ["-nosmimecap"]])
def test_a_signature_by_openssl_is_taken(desk: Path, more: list[str]) -> None:
    """Another program's encoding: more attributes, and with the certificate among them."""
    words = "cms -sign -binary -in signed -signer doctor.pem -inkey doctor.key -certfile issuing.pem"
    made = openssl(desk, *words.split(), "-outform", "DER", "-out", "made.cms", *more)
    assert made.returncode == 0, made.stderr
    given = asked(making(), cms=(desk / "made.cms").read_bytes())
    assert rules(check_signature(given, trust())) == set()


def test_a_time_token_by_openssl_is_taken(desk: Path) -> None:
    """With accuracy, ordering and the authority's name, as time authorities make them; of now, as it tells the time."""
    fixed = making().with_token(world().clock)
    (desk / "value").write_bytes(fixed.made)
    (desk / "serial").write_text("01\n")
    (desk / "tsa.conf").write_text(_STAMPING.format(folder=desk))
    question = "ts -query -data value -sha256 -cert -no_nonce -out q.tsq"
    asking = openssl(desk, *question.split())
    words = "ts -reply -config tsa.conf -section tsa -queryfile q.tsq -signer clock.pem -inkey clock.key"
    answered = openssl(desk, *words.split(), "-token_out", "-out", "token")
    assert (asking.returncode, answered.returncode) == (0, 0), answered.stderr
    token = (desk / "token").read_bytes()
    verdict = check_signature(asked(replace(fixed, token=token)), trust(token_required=True))
    # The machine's clock is not the test's: of all that a token is refused for its time alone is left.
    assert rules(verdict) == {"TIME_TOKEN_OUT_OF_TIME"}
