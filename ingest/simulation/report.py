"""What a run came to, as figures."""

import os
from typing import Any

from ingest.simulation.run import Run
from ingest.simulation.samples import percentiles
from ingest.simulation.sizing import Measured, breaking_points, cities, notes

DAY = 86_400


def figures_of(run: Run) -> dict[str, Any]:
    """What was measured, for the JSON."""
    plan, samples, outcome = run.plan, run.samples, run.outcome
    sent = {
        topic: sum(account[name] for account in run.accounts)
        for topic, name in (
            ("observations", "observations"),
            ("status", "statuses"),
            ("events", "events"),
            ("snapshots", "pictures"),
        )
    }
    messages = sum(sent.values())
    return {
        "cameras": plan.cameras,
        "workers": plan.workers,
        "duration_seconds": plan.duration,
        "warm_up_seconds": round(samples.warm_up, 1),
        "store": run.store_kind,
        "stored_latency_ms": {"count": len(outcome.latencies_ms), **percentiles(outcome.latencies_ms)},
        "lag_growth_per_s": round(samples.lag_growth(), 3),
        "highest_lag": samples.highest_lag(),
        "rss_growth_mb": _rounded(samples.memory_growth_mb()),
        "rss_mb": _rounded(samples.memory_mb()),
        "lost": outcome.lost,
        "duplicates": outcome.duplicates,
        "unknown": outcome.unknown,
        "pictures_lost": outcome.pictures_lost,
        "decided": outcome.decided,
        "stored": outcome.stored,
        "best_effort_given_up": sum(account["given_up"] for account in run.accounts),
        "messages": sent,
        "messages_per_second": {topic: round(count / plan.duration, 2) for topic, count in sent.items()}
        | {"all": round(messages / plan.duration, 1)},
        "cores": _rounded(samples.cores()),
        "centre_busy_share": round(samples.centre_busy(), 3),
        "cpu_seconds": _rounded(samples.cpu_seconds()),
        "broker_disk_bytes": run.log_bytes,
        "broker_network_bytes": network_bytes(run.log_bytes),
        "store_rows_day": round(outcome.stored / plan.duration * DAY),
        "store_bytes_day": round(run.store_bytes / plan.duration * DAY),
        "worker_late_ms": {
            "mean": round(
                1000 * sum(account["late_seconds"] for account in run.accounts) / max(messages, 1), 2
            ),
            "max": round(max(account["latest_ms"] for account in run.accounts), 1),
        },
    }


def network_bytes(log_bytes: dict[str, int]) -> dict[str, int]:
    """What went over the network into the broker and out of it, by its logs.

    Batches lie in the logs as they were sent, and are sent on as they lie there; the centre reads all topics
    but the observations. Replicas and acknowledgements are not counted.
    """
    written = sum(log_bytes.values())
    return {"in": written, "out": written - log_bytes.get("observations", 0)}


def measured_of(run: Run) -> Measured:
    """What the sizing begins with."""
    cores, duration = run.samples.cores(), run.plan.duration
    rows = max(run.outcome.stored, 1)
    return Measured(
        cameras=run.plan.cameras,
        publishing_cores=sum(used for name, used in cores.items() if name.startswith("worker-")),
        broker_cores=cores.get("kafka"),
        centre_cores=cores.get("centre", 0.0),
        centre_busy=run.samples.centre_busy(),
        store_cores=cores.get("postgres"),
        log_bytes_a_second={topic: size / duration for topic, size in run.log_bytes.items() if size},
        rows_a_second=run.outcome.stored / duration,
        row_bytes=run.store_bytes / rows,
        picture_bytes_a_second=run.log_bytes.get("snapshots", 0) / duration,
    )


def sizing_of(run: Run, cameras_a_core: float) -> dict[str, Any]:
    """The sizing table and the breaking points, for the JSON."""
    measured = measured_of(run)
    return {
        "cameras_a_core": cameras_a_core,
        "notes": notes(measured, cameras_a_core),
        "cities": list(cities(measured, cameras_a_core)),
        "breaks_at": breaking_points(measured, len(os.sched_getaffinity(0)), run.plan.workers),
    }


def _rounded(values: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 3) for name, value in values.items()}
