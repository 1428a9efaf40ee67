"""The house as Prometheus text (exposition format 0.0.4). Pure: a look in, bytes out.

The number of series is bounded whatever the actors say: 13 an actor, 4 a source, and as many statistics as fit.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from catalyst.web import health
from catalyst.web.views import Actor, Alert, Look, Source

if TYPE_CHECKING:
    from prometheus_client.core import Metric

MOST_ACTORS, MOST_SOURCES, MOST_STATISTICS = 32, 250, 500  # 32 * 13 + 250 * 4 + 500 < 2,000
QUANTILES = (0.5, 0.9, 0.99)
LATENCIES = 500  # alerts
FATES = ("alerted", "dropped", "dead")  # the tracker's own counters


class _Collector:
    """One look as metrics, for a registry of its own."""

    def __init__(self, look: Look, alerts: Sequence[Alert]):
        self._look, self._alerts = look, alerts

    def collect(self) -> Iterator[Metric]:
        """Every metric."""
        actors = self._look.actors[:MOST_ACTORS]
        yield from _house(self._look)
        yield from _actors(actors)
        yield from _statistics(actors)
        yield from _sources((self._look.sources or ())[:MOST_SOURCES])
        yield _latency(self._alerts[:LATENCIES])


def exposition(look: Look, alerts: Sequence[Alert]) -> tuple[str, bytes]:
    """Content type and body of /metrics; `alerts` are the newest, for the latency's quantiles."""
    from prometheus_client import CollectorRegistry  # 3 MB, only where somebody asks for metrics
    from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(look, alerts))
    return CONTENT_TYPE_LATEST, generate_latest(registry)


def _gauge(name: str, text: str, labels: Sequence[str], rows: Iterator[tuple[Sequence[str], float | None]]) -> Metric:
    """A gauge, without the rows that nobody knows."""
    from prometheus_client.core import GaugeMetricFamily

    metric = GaugeMetricFamily(f"catalyst_{name}", text, labels=labels)
    for values, value in rows:
        if value is not None:
            metric.add_metric(list(values), value)
    return metric


def _counter(name: str, text: str, labels: Sequence[str], rows: Iterator[tuple[Sequence[str], float | None]]) -> Metric:
    """A counter (its name gets `_total`), without the rows that nobody knows."""
    from prometheus_client.core import CounterMetricFamily

    metric = CounterMetricFamily(f"catalyst_{name}", text, labels=labels)
    for values, value in rows:
        if value is not None:
            metric.add_metric(list(values), value)
    return metric


def _house(look: Look) -> Iterator[Metric]:
    yield _gauge("build_info", "The version that runs; always 1.", ["version"], iter([((look.version,), 1.0)]))
    words = health.status(health.reasons(look))
    yield _gauge("healthy", "1 unless /healthz says failing.", [], iter([((), float(words != "failing"))]))
    yield _gauge("fetcher_paused", "1 while the fetcher is paused.", [],
                 iter([((), float(any(reason.word == "fetcher_paused" for reason in health.reasons(look))))]))


def _actors(actors: Sequence[Actor]) -> Iterator[Metric]:
    label = ["actor"]

    def rows(read: Any) -> Iterator[tuple[Sequence[str], float | None]]:
        return (((actor.name,), read(actor)) for actor in actors)

    yield _gauge("actor_up", "1 for an actor that runs and beats.", label,
                 rows(lambda actor: float(actor.state == "running")))
    yield _gauge("storage_ok", "0 for an actor whose disk is full or fails, else 1.", label,
                 rows(lambda actor: None if actor.pid is None else float(not actor.storage)))
    yield _counter("actor_restarts", "Starts after the first, by this supervisor.", label,
                   rows(lambda actor: actor.restarts))
    for name, text, read in (
            ("actor_rss_bytes", "Anonymous memory.", lambda actor: actor.rss_bytes),
            ("heartbeat_age_seconds", "Time since the last beat.", lambda actor: actor.beat_age_s),
            ("inbox_depth", "Messages and jobs that wait in the actor.", lambda actor: actor.inbox),
            ("outbox_depth", "Messages that no receiver has acknowledged.", lambda actor: actor.outbox),
            ("oldest_unsent_seconds", "Age of the oldest of them.", lambda actor: actor.oldest_unsent_s),
            ("dead_letters", "Messages that were given up and wait for a person.", lambda actor: actor.dead)):
        yield _gauge(name, text, label, rows(read))
    for name, text, read in (("handled", "Messages handled by this process.", lambda actor: actor.handled),
                             ("failed", "Handlers that failed in this process.", lambda actor: actor.failed),
                             ("cpu_seconds", "Processor time of this process.", lambda actor: actor.cpu_s)):
        yield _counter(name, text, label, rows(read))


def _statistics(actors: Sequence[Actor]) -> Iterator[Metric]:
    named = [((actor.name, name), value) for actor in actors for name, value in actor.statistics.items()]
    yield _gauge("statistic", "What an actor itself counts, see its source.", ["actor", "name"],
                 iter(named[:MOST_STATISTICS]))
    tracker = next((actor.statistics for actor in actors if actor.name == "tracker"), {})
    yield _counter("items", "Ends of items, a ticker each, that the tracker's process was told of.", ["fate"],
                   (((fate,), tracker.get(fate, 0)) for fate in FATES))


def _sources(sources: Sequence[Source]) -> Iterator[Metric]:
    unique = {source.name: source for source in sources}.values()
    yield _gauge("feed_last_success_timestamp_seconds", "When the source last answered as it should.", ["source"],
                 (((source.name,), source.last_ok_ms / 1000) for source in unique if source.last_ok_ms is not None))
    yield _gauge("feed_outage", "1 while the source counts as failing.", ["source"],
                 (((source.name,), float(source.outage)) for source in unique if source.enabled))
    yield _counter("feed_polls", "Polls of the source.", ["source", "outcome"],
                   (row for source in unique for row in _polls(source)))


def _polls(source: Source) -> Iterator[tuple[Sequence[str], float | None]]:
    if source.polls is None:
        return
    same = source.not_modified or 0
    yield (source.name, "not_modified"), same
    yield (source.name, "other"), max(0, source.polls - same)


def _latency(alerts: Sequence[Alert]) -> Metric:
    """Quantiles by nearest rank; a negative span is a wrong clock and is left out."""
    spans = sorted(span / 1000 for alert in alerts if (span := alert.latency_ms) is not None and span >= 0)
    return _gauge(
        "alert_latency_seconds", "From the complete answer of the feed to the request to the first sink, newest 500.",
        ["quantile"], (((str(quantile),), spans[max(0, math.ceil(quantile * len(spans)) - 1)])
                       for quantile in QUANTILES if spans))
