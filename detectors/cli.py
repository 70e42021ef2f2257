"""``safecity models``: the models that can look at pictures."""

import typer

from detectors.commands.adding import add
from detectors.commands.building import build
from detectors.commands.checking import check
from detectors.commands.exporting import export
from detectors.commands.listing import list_models
from detectors.evaluation.cli import evaluate
from detectors.health_evaluation.cli import health

models = typer.Typer(
    name="models", help="List, check, add, build and export detection models.", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    models.command("list")(list_models)
    for command in (add, check, build, export):
        models.command()(command)
    app.add_typer(models)
    evaluate.command("health")(health)
    app.add_typer(evaluate)
