"""The Grafana dashboard: rows of panels, each a few queries over the metrics that there are."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

WIDTH = 24
"""Of Grafana's grid."""
LAG = "sum by (topic) (safecity_centre_consumer_lag_messages)"
LATENCY = "sum by (le) (rate(safecity_centre_event_latency_seconds_bucket[5m]))"
STAGE = "rate(safecity_worker_stage_seconds"
CONNECTED = "(safecity_worker_bus_connected or safecity_centre_bus_connected)"
DROPPED = 'rate(safecity_worker_frames_total{outcome=~"overwritten|shed|corrupt"}[5m])'
RECEIVED = "rate(safecity_worker_frames_received_total[5m])"
RECONNECTS = "increase(safecity_worker_camera_reconnects_total[1h])"
STEP = 'safecity_worker_camera_step{step!="full"}'


@dataclass(frozen=True)
class Query:
    """One line of a panel."""

    expression: str
    legend: str


@dataclass(frozen=True)
class Panel:
    """One picture; ``unit`` is Grafana's name of it."""

    title: str
    queries: Sequence[Query]
    unit: str = "short"
    kind: str = "timeseries"
    width: int = 8
    stacked: bool = False


ROWS: tuple[tuple[str, tuple[Panel, ...]], ...] = (
    (
        "At a glance",
        (
            Panel(
                "Cameras by state",
                (Query("max by (state) (safecity_centre_cameras)", "{{state}}"),),
                kind="stat",
                width=12,
            ),
            Panel(
                "Oldest unsent",
                (Query("max(safecity_worker_outbox_oldest_unsent_seconds)", ""),),
                "s",
                "stat",
                4,
            ),
            Panel(
                "Not stored yet",
                (Query("sum(safecity_centre_consumer_lag_messages)", ""),),
                kind="stat",
                width=4,
            ),
            Panel(
                "Not connected to the bus",
                (Query(f"count({CONNECTED} == 0) or vector(0)", ""),),
                kind="stat",
                width=4,
            ),
        ),
    ),
    (
        "Events",
        (
            Panel(
                "Decided and stored a minute",
                (
                    Query("60 * sum(rate(safecity_worker_events_decided_total[5m]))", "decided"),
                    Query("60 * sum(rate(safecity_centre_events_stored_total[5m]))", "stored"),
                ),
            ),
            Panel(
                "Stored a minute, by kind",
                (Query("60 * sum by (kind) (rate(safecity_centre_events_stored_total[5m]))", "{{kind}}"),),
                stacked=True,
            ),
            Panel(
                "From the capture of a frame to the store",
                (
                    Query(f"histogram_quantile(0.5, {LATENCY})", "median"),
                    Query(f"histogram_quantile(0.95, {LATENCY})", "95 %"),
                ),
                "s",
            ),
        ),
    ),
    (
        "Cameras",
        (
            Panel(
                "Cameras that give no pictures",
                (
                    Query(
                        'sum by (camera_id) (safecity_worker_camera_state{state="live"}) == 0',
                        "{{camera_id}}",
                    ),
                ),
                kind="table",
            ),
            Panel(
                "Cameras that show nothing of use",
                (
                    Query(
                        "max by (camera_id, fault) (safecity_worker_camera_fault) == 1",
                        "{{camera_id}} {{fault}}",
                    ),
                ),
                kind="table",
            ),
            Panel(
                "Cameras that are not recorded",
                (Query("min by (camera_id) (safecity_worker_camera_recording) == 0", "{{camera_id}}"),),
                kind="table",
            ),
            Panel(
                "Frames a second, by what became of them",
                (Query("sum by (outcome) (rate(safecity_worker_frames_total[5m]))", "{{outcome}}"),),
                stacked=True,
            ),
            Panel(
                "Share of frames dropped, the worst ten",
                (
                    Query(
                        f"topk(10, sum by (camera_id) ({DROPPED}) / sum by (camera_id) ({RECEIVED}))",
                        "{{camera_id}}",
                    ),
                ),
                "percentunit",
            ),
            Panel(
                "Connections opened again an hour, the worst ten",
                (
                    Query(
                        f"topk(10, sum by (camera_id) ({RECONNECTS}))",
                        "{{camera_id}}",
                    ),
                ),
            ),
        ),
    ),
    (
        "Load of workers",
        (
            Panel(
                "Cores asked for, and what there is",
                (
                    Query("sum by (instance) (safecity_worker_shard_use_cores)", "{{instance}} asked for"),
                    Query("sum by (instance) (safecity_worker_shard_budget_cores)", "{{instance}} budget"),
                ),
            ),
            Panel(
                "Cameras that are given less", (Query(f"sum by (step) ({STEP})", "{{step}}"),), stacked=True
            ),
            Panel(
                "Time a frame takes, by stage",
                (
                    Query(
                        f"sum by (stage) ({STAGE}_sum[5m])) / sum by (stage) ({STAGE}_count[5m]))",
                        "{{stage}}",
                    ),
                ),
                "s",
            ),
            Panel(
                "Processes that run and should",
                (
                    Query("sum by (instance) (safecity_worker_shards)", "{{instance}}"),
                    Query("sum by (instance) (safecity_worker_shards_wanted)", "{{instance}} wanted"),
                ),
                width=12,
            ),
            Panel(
                "Processes that died, in an hour",
                (
                    Query(
                        "sum by (instance) (increase(safecity_worker_shard_deaths_total[1h]))", "{{instance}}"
                    ),
                ),
                width=12,
            ),
        ),
    ),
    (
        "Delivery",
        (
            Panel(
                "Outbox, share of its bound",
                (
                    Query(
                        "sum by (instance) (safecity_worker_outbox_bytes) "
                        "/ sum by (instance) (safecity_worker_outbox_limit_bytes)",
                        "{{instance}}",
                    ),
                ),
                "percentunit",
            ),
            Panel(
                "Age of the oldest unsent message",
                (Query("max by (instance) (safecity_worker_outbox_oldest_unsent_seconds)", "{{instance}}"),),
                "s",
            ),
            Panel(
                "Messages in the outbox",
                (
                    Query("sum by (instance) (safecity_worker_outbox_messages)", "{{instance}}"),
                    Query(
                        "sum by (instance) (safecity_worker_outbox_unsaved_messages)",
                        "{{instance}} in memory only",
                    ),
                ),
            ),
            Panel(
                "Given up, a minute",
                (
                    Query(
                        "60 * sum by (topic) (rate(safecity_worker_best_effort_dropped_total[5m]))",
                        "{{topic}}",
                    ),
                    Query(
                        "60 * sum(rate(safecity_worker_unsaved_pictures_dropped_total[5m]))",
                        "pictures of events",
                    ),
                ),
            ),
            Panel(
                "Messages a second, by topic",
                (Query("sum by (topic) (rate(safecity_worker_messages_published_total[5m]))", "{{topic}}"),),
                stacked=True,
            ),
            Panel("Not stored yet, by topic", (Query(LAG, "{{topic}}"),)),
        ),
    ),
    (
        "Command centre",
        (
            Panel(
                "Came again, and could not be read, an hour",
                (
                    Query("sum(increase(safecity_centre_events_duplicate_total[1h]))", "came again"),
                    Query(
                        "sum by (topic) (increase(safecity_centre_dead_letters_total[1h]))",
                        "unreadable {{topic}}",
                    ),
                ),
            ),
            Panel(
                "Batches that could not be stored, an hour",
                (
                    Query(
                        "sum by (instance) (increase(safecity_centre_store_failures_total[1h]))",
                        "{{instance}}",
                    ),
                ),
            ),
            Panel(
                "Pictures stored a minute, and live streams",
                (
                    Query("60 * sum(rate(safecity_centre_media_stored_total[5m]))", "pictures a minute"),
                    Query("sum(safecity_centre_stream_followers)", "live streams"),
                ),
            ),
        ),
    ),
)


def dashboard() -> str:
    """The dashboard's JSON, for Grafana 10 or later; it asks which Prometheus to use."""
    panels: list[dict[str, Any]] = []
    y = 0
    for title, row in ROWS:
        panels.append(
            _placed({"type": "row", "title": title, "collapsed": False}, len(panels), 0, y, WIDTH, 1)
        )
        y += 1
        x = 0
        for panel in row:
            height = 5 if panel.kind == "stat" else 8
            if x + panel.width > WIDTH:
                x, y = 0, y + 8
            panels.append(_placed(_panel(panel), len(panels), x, y, panel.width, height))
            x += panel.width
        y += 5 if row[0].kind == "stat" else 8
    document = {
        "title": "safecity",
        "uid": "safecity",
        "description": "Made by docs/generate.py from docs/dashboard.py. Do not edit.",
        "tags": ["safecity"],
        "schemaVersion": 39,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {
            "list": [
                {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"}
            ]
        },
        "panels": panels,
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _placed(panel: dict[str, Any], number: int, x: int, y: int, width: int, height: int) -> dict[str, Any]:
    return {"id": number + 1, **panel, "gridPos": {"x": x, "y": y, "w": width, "h": height}}


def _panel(panel: Panel) -> dict[str, Any]:
    source = {"type": "prometheus", "uid": "${datasource}"}
    custom = {"stacking": {"mode": "normal"}, "fillOpacity": 20} if panel.stacked else {}
    is_table = panel.kind == "table"
    return {
        "type": panel.kind,
        "title": panel.title,
        "datasource": source,
        "fieldConfig": {"defaults": {"unit": panel.unit, "custom": custom}, "overrides": []},
        "targets": [
            {
                "refId": chr(ord("A") + number),
                "datasource": source,
                "expr": query.expression,
                "legendFormat": query.legend,
                **({"instant": True, "format": "table"} if is_table else {}),
            }
            for number, query in enumerate(panel.queries)
        ],
    }
