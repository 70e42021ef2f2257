"""``safecity bench bus`` and ``latency``; other packages add the benches of what they hold to the group."""

from typing import Annotated

import typer

from safecity.bench.group import announce, bench, bench_run
from safecity.bench.report import (
    JsonOption,
    PlotOption,
    QuickOption,
    bar_plot,
    check_outputs,
    show_table,
    write_report,
)
from safecity.cli import UsageError

__all__ = ["bench"]

KafkaOption = Annotated[
    str | None, typer.Option("--kafka", help="Use this Apache Kafka.", metavar="HOST:PORT")
]
WithKafkaOption = Annotated[
    bool | None,
    typer.Option(
        "--with-kafka/--without-kafka",
        help="Start a Kafka for it, or not.",
        show_default="when the extra kafka-dev is installed",
    ),
]


@bench.command()
def bus(
    messages: Annotated[int | None, typer.Option(min=1, help="How many.", show_default="100,000")] = None,
    size: Annotated[int, typer.Option(min=1, max=1_000_000, help="Of a message, bytes.")] = 1024,
    kafka: KafkaOption = None,
    with_kafka: WithKafkaOption = None,
    quick: QuickOption = False,
    json_path: JsonOption = None,
    plot: PlotOption = None,
) -> None:
    """Messages a second, and CPU seconds per 100,000, on each bus.

    Example: safecity bench bus --quick --json bus.json
    """
    from safecity.bench.bus import COLUMNS, BusPlan, run_bus
    from safecity.bench.kafka import bench_kafka

    check_outputs(json_path, plot)
    plan = BusPlan(messages or (20_000 if quick else 100_000), size)
    with bench_run(), bench_kafka(kafka, with_kafka, announce) as broker:
        rows = run_bus(plan, broker)
    show_table(f"{plan.messages:,} messages of {size:,} bytes, one core", rows, COLUMNS)
    write_report("bus", rows, json_path=json_path)
    if plot is not None:
        labels = [row["name"] for row in rows]
        cpu = [row["cpu_seconds_per_100k"] for row in rows]
        bar_plot(plot, "Bus", labels, {"CPU": cpu}, unit="CPU seconds per 100,000 messages")


@bench.command()
def latency(
    duration: Annotated[
        float | None, typer.Option(min=1, help="Seconds over each bus.", show_default="60")
    ] = None,
    cameras: Annotated[int, typer.Option(min=1, max=64, help="How many, as in the demo.")] = 4,
    browser: Annotated[
        bool | None,
        typer.Option(
            "--browser/--no-browser",
            help="Follow on the page in Chromium, or only read its stream.",
            show_default="when Playwright and Chromium are installed",
        ),
    ] = None,
    kafka: KafkaOption = None,
    with_kafka: WithKafkaOption = None,
    quick: QuickOption = False,
    json_path: JsonOption = None,
    plot: PlotOption = None,
) -> None:
    """From the camera to decided, published, stored and the operator's browser, by stage.

    Example: safecity bench latency --duration 120 --json latency.json --plot latency.png
    """
    from safecity.bench.delivery import browser_available
    from safecity.bench.kafka import bench_kafka
    from safecity.bench.latency import COLUMNS, LatencyPlan, run_latency

    check_outputs(json_path, plot)
    if browser and not browser_available():
        raise UsageError("--browser needs Chromium and Playwright: pip install playwright")
    wanted = browser_available() if browser is None else browser
    plan = LatencyPlan(duration or (20.0 if quick else 60.0), cameras, wanted)
    with bench_run(), bench_kafka(kafka, with_kafka, announce) as broker:
        runs = run_latency(plan, broker, announce)
    rows = [row for run in runs for row in run.rows]
    show_table(f"Latency, {cameras} cameras; {runs[0].facts['follower']}", rows, COLUMNS)
    write_report("latency", rows, json_path=json_path, extra={"runs": [run.facts for run in runs]})
    if plot is not None:
        series = {share: [row[share] for row in rows] for share in ("p50", "p95", "p99")}
        bar_plot(plot, "Captured to …", [row["name"] for row in rows], series, unit="milliseconds")
