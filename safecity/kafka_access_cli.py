"""``safecity kafka topics`` and ``acls``: what the people who run the site's Kafka do once."""

import json
from pathlib import Path
from typing import Annotated

import typer

from safecity.bus.port import TOPICS, BusError
from safecity.bus.roles import ROLES, acl_commands
from safecity.cli import UsageError
from safecity.redaction import redact
from safecity.settings import load_site


def topics(
    site: Annotated[
        Path, typer.Option("--site", help="The site file.", metavar="FILE", show_default="site.toml")
    ] = Path("site.toml"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Make the topics that are missing on the site's Kafka; wants the role ops where there are ACLs.

    Example: safecity kafka topics --site site.toml
    """
    from safecity.bus.kafka import KafkaBus

    loaded = load_site(site)
    if loaded.bus.backend != "kafka":
        raise UsageError(f"{site}: bus.backend is {loaded.bus.backend}; there is nothing to be made")
    try:
        with KafkaBus(loaded.bus) as bus:
            made = bus.make_topics(tuple(TOPICS.values()))
    except BusError as error:
        typer.echo(f"safecity: {redact(error)}", err=True)
        raise typer.Exit(1) from None
    names = [loaded.bus.topic_prefix + name for name in TOPICS]
    if as_json:
        typer.echo(json.dumps({"topics": names, "made": list(made)}))
        return
    for name in names:
        typer.echo(f"{name}  {'made' if name in made else 'was there'}")


def acls(
    role: Annotated[
        str | None, typer.Option(help=f"Only this one: {', '.join(role.name for role in ROLES)}.")
    ] = None,
    prefix: Annotated[str, typer.Option(help="As bus.topic_prefix.", metavar="TEXT")] = "safecity.",
    server: Annotated[
        str, typer.Option(help="A broker, for the commands.", metavar="HOST:PORT")
    ] = "kafka:9092",
) -> None:
    """Print what each role needs to be allowed, as commands for Kafka's own kafka-acls.sh.

    Example: safecity kafka acls --role worker --server kafka-1.port.example:9093
    """
    chosen = [each for each in ROLES if role in (None, each.name)]
    if not chosen:
        raise UsageError(f"--role {role}: there is {', '.join(each.name for each in ROLES)}")
    for line in acl_commands(prefix, server, chosen):
        typer.echo(line)
