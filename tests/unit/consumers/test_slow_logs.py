"""A log that answers badly, slowly or not at all holds the offers of other senders for a bounded time alone."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from socket import create_server, socket
from threading import Event, Thread

import pytest

from consumers.log_over_http import LogOverHttp, LogUnreachable
from consumers.receiving_hospital.senders_logs import SendersLogs
from consumers.waiting_room import NotNow
from ledger.trust.note_key import parse_verifier_key
from ledger.trust.policy import Peer, Policy
from tests.unit.consumers.histories import NORTH, offer_of, package_of, short_history
from tests.unit.trust.tlog_samples import LOG

_DRIPS = 100
_BETWEEN_SECONDS = 0.05
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"


@contextmanager
def _serving(answer: bytes, drips: int = 0) -> Generator[tuple[str, list[bytes]]]:
    """A server that answers each connection so, then with a byte now and then; its URL, and what it was asked."""
    asked, over = list[bytes](), Event()

    def answered(connection: socket) -> None:
        with connection, suppress(OSError):
            asked.append(connection.recv(4096))
            connection.sendall(answer)
            for _ in range(drips):
                if over.wait(_BETWEEN_SECONDS):
                    return
                connection.sendall(b"x")

    def accepting(listening: socket) -> None:
        while not over.is_set():
            with suppress(TimeoutError):
                answered(listening.accept()[0])

    with create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(_BETWEEN_SECONDS)
        thread = Thread(target=accepting, args=(listening,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/log", asked
        finally:
            over.set()
            thread.join()


@pytest.mark.parametrize("begun", [b"HTTP/1.1 200 OK\r\nX-Long: ", _HEAD], ids=["headers", "body"])
def test_a_log_that_drips_is_given_up(begun: bytes) -> None:
    """Each byte comes well within the wait for one, and all of them far too late; so with a log beside it."""
    with _serving(begun, _DRIPS) as (url, _), LogOverHttp(url, in_all_max=0.5) as log:
        with pytest.raises(LogUnreachable, match="ReadTimeout"):
            log.checkpoint()
        with log.of_number(2) as other, pytest.raises(LogUnreachable, match="Timeout"):
            other.checkpoint()


@pytest.mark.parametrize("url", ["", "north", "ftp://north", "http://north:port", "http://nörth"])
def test_a_url_that_is_none_is_a_log_that_does_not_answer(url: str) -> None:
    """A policy may say anything."""
    with LogOverHttp(url) as log, pytest.raises(LogUnreachable):
        log.checkpoint()


async def test_a_log_that_gave_no_head_rests_whatever_waits_for_it(tmp_path: Path) -> None:
    """Asked once for any number of offers, then again after its pause; another sender's log is asked meanwhile."""
    now = [0.0]
    package = package_of(short_history())
    offer = offer_of(package, package.SerializeToString())
    elsewhere = "ledger.example/west/1"
    answer = b"HTTP/1.1 503 Away\r\nContent-Length: 0\r\n\r\n"
    with _serving(answer) as (bad, asked), _serving(answer) as (other, asked_too):
        peers = tuple(
            Peer(replace(parse_verifier_key(str(LOG.verifier())), name=name), url)
            for name, url in ((NORTH, bad), (elsewhere, other))
        )
        logs = SendersLogs(lambda: Policy(peers, {}, {}, "none"), tmp_path / "seen", lambda: now[0])
        for seconds, times in ((0.0, 1), (29.0, 1), (31.0, 2), (59.0, 2)):
            now[0] = seconds
            for position in (40, 41):
                with pytest.raises(NotNow, match="503"):
                    await logs.holds(replace(offer, position=position).place)
            assert len(asked) == times
        with pytest.raises(NotNow, match="503"):
            await logs.holds(replace(offer, sender_origin=elsewhere).place)
        assert len(asked_too) == 1
