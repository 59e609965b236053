"""A real S3 server on this machine: versitygw (Apache-2.0) over a folder, built once by Go."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import boto3
import httpx
import pytest

from ledger.embedded.ports import free_port
from tests.eventually import eventually

VERSITYGW = "github.com/versity/versitygw/cmd/versitygw@v1.8.0"
_CACHE = Path(__file__).parents[3] / ".ledger-cache"
_BUILD_SECONDS_MAX = 1800
_ACCESS, _SECRET = "ledger-tests", "ledger-tests-secret"


@pytest.fixture(scope="session")
def versitygw() -> Path:
    """The program. A missing Go is an error; LEDGER_TEST_GO=off is the only way to leave these tests out."""
    if os.environ.get("LEDGER_TEST_GO") == "off":
        pytest.skip("LEFT OUT: the blob contract on S3 (LEDGER_TEST_GO=off)")
    program = _CACHE / "s3" / "versitygw"
    if program.exists():
        return program
    go = shutil.which("go")
    if go is None:
        pytest.fail("Go is missing: install Go 1.26 or later; LEDGER_TEST_GO=off leaves the S3 tests out")
    # -modcacherw: else `make clean` could not remove what Go fetched
    environment = os.environ | {
        "GOFLAGS": "-modcacherw", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0", "GOBIN": str(program.parent),
        "GOMODCACHE": str(_CACHE / "gomod"), "GOCACHE": str(_CACHE / "gobuild"),
    }  # fmt: skip
    built = subprocess.run(
        [go, "install", VERSITYGW], env=environment, text=True, capture_output=True,
        timeout=_BUILD_SECONDS_MAX, check=False,
    )  # fmt: skip
    if built.returncode:
        pytest.fail(f"go install: {built.stderr}")
    return program


@pytest.fixture(scope="session")
def s3_server(versitygw: Path, services_folder: Path) -> Iterator[str]:
    """The address of the server; its keys stand in the environment, where boto3 looks for them."""
    folder = services_folder / "s3"
    folder.mkdir()
    address = f"http://127.0.0.1:{free_port()}"
    command = [versitygw, "--port", address.removeprefix("http://"), "--access", _ACCESS, "--secret", _SECRET]
    with (services_folder / "s3.log").open("wb") as log:
        process = subprocess.Popen([*command, "posix", str(folder)], stdout=log, stderr=log)
    try:
        eventually(lambda: _answers(address), what="the S3 server")
        with pytest.MonkeyPatch.context() as patch:
            settings = {
                "AWS_ENDPOINT_URL_S3": address, "AWS_ACCESS_KEY_ID": _ACCESS, "AWS_SECRET_ACCESS_KEY": _SECRET,
                "AWS_DEFAULT_REGION": "us-east-1",
            }  # fmt: skip
            for name, value in settings.items():
                patch.setenv(name, value)
            yield address
    finally:
        process.terminate()
        process.wait(60)


@pytest.fixture
def bucket(s3_server: str) -> str:
    """A fresh bucket."""
    assert s3_server
    name = f"ledger-{uuid4().hex[:12]}"
    boto3.client("s3").create_bucket(Bucket=name)  # pyright: ignore[reportUnknownMemberType]
    return name


def _answers(address: str) -> bool:
    try:
        return httpx.get(address, trust_env=False).status_code > 0
    except httpx.HTTPError:
        return False
