"""The metrics as Prometheus' own parser reads them."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from catalyst.web import metrics, views
from catalyst.web.views import Look
from tests.web.examples import HOSTILE, NAMES, actor, look, raw_alert, source

WANTED = {"catalyst_build_info", "catalyst_actor_up", "catalyst_actor_restarts", "catalyst_actor_rss_bytes",
          "catalyst_heartbeat_age_seconds", "catalyst_inbox_depth", "catalyst_outbox_depth",
          "catalyst_oldest_unsent_seconds", "catalyst_handled", "catalyst_failed", "catalyst_dead_letters",
          "catalyst_feed_last_success_timestamp_seconds", "catalyst_feed_polls", "catalyst_items", "catalyst_statistic",
          "catalyst_alert_latency_seconds", "catalyst_healthy", "catalyst_feed_outage", "catalyst_cpu_seconds",
          "catalyst_fetcher_paused", "catalyst_storage_ok"}


def read(shown: Look) -> dict[str, dict[tuple[str, ...], float]]:
    """Name of a sample -> its values by the values of its labels."""
    content_type, body = metrics.exposition(shown, shown.alerts)
    assert content_type.startswith("text/plain; version=")
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(body.decode()):
        assert family.documentation, family.name
        assert family.name in WANTED, family.name
        for sample in family.samples:
            series = found.setdefault(sample.name, {})
            assert tuple(sample.labels.values()) not in series, "a series stands twice"
            series[tuple(sample.labels.values())] = sample.value
    return found


def test_every_metric_is_exported() -> None:
    """A healthy house exports all names, with the values that it has."""
    found = read(look())
    assert {name.removesuffix("_total") for name in found} == WANTED
    assert found["catalyst_build_info"] == {("9.9.9",): 1}
    assert found["catalyst_actor_up"] == {(name,): 1 for name in NAMES}
    assert found["catalyst_handled_total"][("market",)] == 12_345
    assert found["catalyst_feed_polls_total"] == {("not_modified", "newsfile"): 790, ("other", "newsfile"): 22}
    assert found["catalyst_items_total"] == {("alerted",): 30, ("dropped",): 170, ("dead",): 0}
    assert found["catalyst_feed_last_success_timestamp_seconds"] == {("newsfile",): 1_767_364_196}
    assert found["catalyst_alert_latency_seconds"][("0.5",)] == 0.04


def test_quantiles_are_of_what_is_known() -> None:
    """The nearest rank of known, possible spans; none at all without any."""
    sent = ["2026-01-02T14:29:58.130Z", "2026-01-02T14:29:58.220Z", "2026-01-02T14:29:59.120Z", None,
            "2026-01-02T14:29:50.000Z"]
    alerts = tuple(views.alert(raw_alert(n, sent=one)) for n, one in enumerate(sent))
    assert read(look(alerts=alerts))["catalyst_alert_latency_seconds"] == {("0.5",): 0.1, ("0.9",): 1, ("0.99",): 1}
    assert "catalyst_alert_latency_seconds" not in read(look(alerts=()))


def test_what_nobody_knows_is_absent() -> None:
    """An actor that is down has no depth and no memory, and is not up."""
    found = read(look(actors=(views.Actor("market", "stopped"),), sources=None))
    assert found["catalyst_actor_up"] == {("market",): 0}
    assert not {"catalyst_inbox_depth", "catalyst_actor_rss_bytes", "catalyst_feed_polls_total"} & found.keys()
    assert found["catalyst_healthy"] == {(): 0}


def test_the_number_of_series_is_bounded() -> None:
    """However many actors, feeds and statistics there are, and however odd their names."""
    huge = look(actors=tuple(actor(f"a{n}", statistics={f"s{m}": m for m in range(500)}) for n in range(100)),
                sources=tuple(source(f"f{n}") for n in range(5_000)))
    assert sum(map(len, read(huge).values())) <= 2_000
    odd = look(actors=tuple(actor(word, statistics={word: 1.0}) for word in HOSTILE if word.isprintable()),
               sources=tuple(source(word) for word in HOSTILE if word.isprintable()))
    assert len(read(odd)["catalyst_actor_up"]) == sum(word.isprintable() for word in HOSTILE)
