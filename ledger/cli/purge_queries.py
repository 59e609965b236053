"""Puts the purge register behind the edge's method names."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from ledger.application.ledger import Ledger
from ledger.cli.bodies import Bodies
from ledger.cli.queries import Query, without_nul
from ledger.clock import clock_of
from ledger.config import Settings
from ledger.server.purges import Purges

_SERVICE = "ledger.api.v1.PurgeService/"


def purges_of(settings: Settings, ledger: Ledger, bodies: Bodies) -> Purges:
    """The register as this process serves it; a generation that was just destroyed counts at once."""
    generations = partial(bodies.encryption.current, look_seconds=0.0)
    return Purges(bodies.purges, ledger.origin_of, generations, clock_of(settings.clock_file))


def purge_queries(purges: Purges) -> Mapping[str, Query]:
    """The handlers of PurgeService by the full name of their method."""
    handlers = {"ListPurges": purges.list_purges, "AcknowledgePurge": purges.acknowledge_purge}
    return {_SERVICE + name: without_nul(handler) for name, handler in handlers.items()}
