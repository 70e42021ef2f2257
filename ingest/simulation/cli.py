"""``safecity simulate``."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from safecity.bench.group import announce, bench_run
from safecity.bench.report import JsonOption, check_outputs, show_table, write_report

if TYPE_CHECKING:
    from ingest.simulation.run import Plan

DURATION, ANALYSED = 60.0, 15.0
LATE_MS = 500.0
FIGURES = {"figure": "figure", "value": "measured"}
PROCESSES = {"process": "process", "cores": "cores", "rss_mb": "MB", "rss_growth_mb": "grew by MB"}
CITIES = {
    "cameras": "cameras",
    "basis": "figures",
    "worker_cores": "worker cores",
    "partitions": "partitions",
    "broker_cores": "broker cores",
    "broker_disk_gb": "broker disk GB",
    "broker_in_mbit_s": "in Mbit/s",
    "broker_out_mbit_s": "out Mbit/s",
    "store_rows_day": "rows a day",
    "store_gb_day": "store GB a day",
    "pictures_gb_day": "pictures GB a day",
    "centre_cores": "centre cores",
    "centres": "centres",
}
BREAKS = {"what": "what breaks first", "used": "used now", "of": "of", "cameras": "full at cameras"}


def simulate(
    cameras: Annotated[int, typer.Option(min=1, max=100_000, help="How many.")] = 675,
    workers: Annotated[int, typer.Option(min=1, max=256, help="Processes that publish.")] = 2,
    duration: Annotated[float, typer.Option(min=5, help="Seconds.")] = DURATION,
    observations: Annotated[
        float, typer.Option("--observations-per-second", min=0, max=50, help="Of a camera.")
    ] = 5.0,
    status_seconds: Annotated[float, typer.Option(min=0.2, help="Between two statuses of a camera.")] = 5.0,
    events: Annotated[float, typer.Option("--events-per-minute", min=0, max=600, help="Of a camera.")] = 1.0,
    pictures: Annotated[
        float, typer.Option("--picture-share", min=0, max=1, help="Of the events that have a picture.")
    ] = 1.0,
    tracks: Annotated[int, typer.Option(min=0, max=50, help="In an observation, on average.")] = 3,
    partitions: Annotated[int, typer.Option(min=1, max=1000, help="Of each topic.")] = 12,
    kafka: Annotated[
        str | None,
        typer.Option("--kafka", help="Use this Apache Kafka instead of starting one.", metavar="HOST:PORT"),
    ] = None,
    store: Annotated[
        str,
        typer.Option(
            help="postgresql: one is started; sqlite; or the URL of a PostgreSQL server, which gets a "
            "database for it that is removed again.",
            metavar="postgresql|sqlite|URL",
        ),
    ] = "postgresql",
    cameras_per_core: Annotated[
        float, typer.Option(min=0.1, help="For the sizing: what safecity bench density says of your cameras.")
    ] = ANALYSED,
    json_path: JsonOption = None,
) -> None:
    """Scripted cameras through real workers' outboxes, a real Kafka and a real command centre, measured.

    Nothing is decoded or detected: each camera says what a camera would (observations, statuses, events
    with pictures), at rates that you may change. At the end what the workers decided is held against what
    the centre has; exit code 1 when something is lost or there twice. What is started is ended, what is
    written is removed.

    Example: safecity simulate --cameras 675 --duration 600 --json simulation.json
    """
    from ingest.simulation.report import figures_of, sizing_of
    from ingest.simulation.run import Plan, simulate_city
    from ingest.simulation.script import Rates

    check_outputs(json_path, None)
    rates = Rates(observations, status_seconds, events, pictures, tracks)
    plan = Plan(cameras, min(workers, cameras), duration, rates, kafka, store, partitions)
    with bench_run():
        run = simulate_city(plan, announce)
        figures, sizing = figures_of(run), sizing_of(run, cameras_per_core)
    _show(plan, figures, sizing)
    late = figures["worker_late_ms"]["mean"]
    if late > LATE_MS:
        announce(
            f"The workers were {late / 1000:.1f} s late on average: this machine was too slow or too busy "
            "for so many cameras, and latencies and sizes say little of a city"
        )
    extra = {"rates": asdict(rates), **figures, "sizing": sizing}
    write_report("simulate", sizing["cities"], json_path=json_path, extra=extra)
    if figures["lost"] or figures["duplicates"] or figures["unknown"]:
        announce(
            f"safecity: {figures['lost']} lost, {figures['duplicates']} there twice, "
            f"{figures['unknown']} that nobody decided"
        )
        raise typer.Exit(1)


def _show(plan: "Plan", figures: dict[str, Any], sizing: dict[str, Any]) -> None:
    latency, late = figures["stored_latency_ms"], figures["worker_late_ms"]
    rows = {
        "messages a second": figures["messages_per_second"]["all"],
        "captured to stored, p50 ms": latency["p50"],
        "p95 ms": latency["p95"],
        "p99 ms": latency["p99"],
        "centre's lag grows by, messages/s": figures["lag_growth_per_s"],
        "highest lag, messages": figures["highest_lag"],
        "events decided": figures["decided"],
        "events stored": figures["stored"],
        "lost": figures["lost"],
        "duplicates": figures["duplicates"],
        "observations and statuses given up": figures["best_effort_given_up"],
        "centre's consumer busy, share of the time": figures["centre_busy_share"],
        "workers late, mean ms": late["mean"],
    }
    title = f"{plan.cameras:,} cameras, {plan.duration:g} s ({figures['warm_up_seconds']:g} s of warm-up)"
    show_table(title, [{"figure": name, "value": value} for name, value in rows.items()], FIGURES)
    processes = [
        {
            "process": name,
            "cores": cores,
            "rss_mb": figures["rss_mb"].get(name),
            "rss_growth_mb": figures["rss_growth_mb"].get(name),
        }
        for name, cores in figures["cores"].items()
    ]
    show_table("Processes, after the warm-up", processes, PROCESSES)
    show_table("Sizing, in proportion to this run", sizing["cities"], CITIES)
    for note in sizing["notes"]:
        typer.echo(note)
    show_table("Limits, were everything in proportion", sizing["breaks_at"], BREAKS)
