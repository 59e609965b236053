"""A record keeps the pack and the templates of its time: what was shipped under a version stays what it was."""

from __future__ import annotations

from tests.unit.domain.shipped_digests import frozen, shipped


def test_no_shipped_version_was_changed_or_taken_away() -> None:
    """A change is a new version; records go by the old one, and templates of entries are shown as they were."""
    now = shipped()
    changed = [name for name, digest in frozen().items() if now.get(name) != digest]
    assert not changed, "give these a new version, and put their text back as it was"


def test_every_shipped_version_is_frozen() -> None:
    """`python -m tests.unit.domain.shipped_digests` adds what is new."""
    assert not shipped().keys() - frozen().keys()
    assert {"pack cn-2010@1", "pack core-2018@1", "pack us-generic@1", "template result@1"} <= frozen().keys()
