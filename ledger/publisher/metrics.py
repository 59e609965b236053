"""What the publisher says of itself to Prometheus."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

published_position = Gauge("ledger_published_position", "Last position on the published stream", ["hospital"])
events_published = Counter("ledger_events_published", "Events published by this process", ["hospital"])
failures = Counter("ledger_publish_failures", "Failures while publishing; each is tried again", ["hospital"])
refused = Gauge("ledger_publish_refused", "1 where a hospital is not published until a person decides", ["hospital"])
hospitals_open = Gauge("ledger_publish_open", "Hospitals that this process publishes now; each has a producer")
