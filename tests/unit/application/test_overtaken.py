"""When a process reads before it decides."""

from ledger.application.overtaken import Overtaken


def test_a_memory_that_is_often_behind_is_not_trusted_until_it_is_right_again() -> None:
    """A single writer beside changes nothing; one that writes the same records does, and it passes when he stops."""
    found = Overtaken()
    for _ in range(10):
        found.note(behind=True)
    assert not found.often
    for _ in range(10):
        found.note(behind=True)
    assert found.often
    for _ in range(10):
        found.note(behind=False)
    assert not found.often


def test_every_second_memory_behind_is_often() -> None:
    """As with two processes that get the commands of the same records in turn."""
    found = Overtaken()
    for number in range(400):
        found.note(behind=bool(number % 2))
    assert found.often
