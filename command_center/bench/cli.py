"""``safecity bench centre``."""

from typing import Annotated

import typer

from safecity.bench.group import announce, bench_run
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


def centre(
    events: Annotated[
        int | None,
        typer.Option(min=1000, help="In the store when it is queried.", show_default="5,000,000"),
    ] = None,
    intake: Annotated[
        int | None, typer.Option(min=100, help="Events of each intake.", show_default="50,000")
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(
            help="SQLAlchemy URL of an empty database, instead of SQLite and PostgreSQL.", metavar="URL"
        ),
    ] = None,
    quick: QuickOption = False,
    json_path: JsonOption = None,
    plot: PlotOption = None,
) -> None:
    """Events a second into the store, and the API's queries on millions of events.

    SQLite, and PostgreSQL where it is installed. 5,000,000 events take about 15 GB of the temporary folder
    for the time of the bench (TMPDIR says where that is), and the 200,000 of --quick one.

    Example: safecity bench centre --quick --json centre.json
    """
    from command_center.bench.centre import INTAKE_COLUMNS, QUERY_COLUMNS, CentrePlan, run_centre
    from command_center.bench.databases import bench_databases

    check_outputs(json_path, plot)
    whole = events or (200_000 if quick else 5_000_000)
    plan = CentrePlan(whole, intake or min(5_000 if quick else 50_000, whole // 2))
    if plan.intake >= plan.events:
        raise UsageError(f"--intake {plan.intake} has to be less than --events {plan.events}")
    with bench_run(), bench_databases(database, announce) as databases:
        rows = run_centre(plan, databases)
    intakes = [row for row in rows if row["measure"] == "intake"]
    queries = [row for row in rows if row["measure"] == "query"]
    show_table("Intake, one core", intakes, INTAKE_COLUMNS)
    show_table(f"Queries on {plan.events:,} events", queries, QUERY_COLUMNS)
    write_report("centre", rows, json_path=json_path)
    if plot is not None:
        names = list(dict.fromkeys(row["database"] for row in queries))
        series = {name: [row["p50_ms"] for row in queries if row["database"] == name] for name in names}
        labels = list(dict.fromkeys(row["query"] for row in queries))
        bar_plot(
            plot, f"Queries on {plan.events:,} events", labels, series, unit="p50 milliseconds", log=True
        )
