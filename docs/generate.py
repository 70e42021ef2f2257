"""Writes what the code says of itself: JSON Schemas, the configuration reference, the table of metrics.

usage: python docs/generate.py [--check]     (--check: change nothing, exit 1 when something is not current)
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from command_center.metrics import CentreMetrics
from ingest.metrics import SupervisorMetrics, WorkerMetrics
from safecity.camera_record import CameraRecord
from safecity.event import Event
from safecity.message import Message
from safecity.observation import Observation
from safecity.ownership import Ownership
from safecity.settings import Site
from safecity.status import Status

ROOT = Path(__file__).parent.parent
SCHEMAS = ROOT / "safecity" / "schemas"
MESSAGES: tuple[tuple[str, type[Message]], ...] = (
    ("event", Event),
    ("observation", Observation),
    ("status", Status),
    ("camera", CameraRecord),
    ("owner", Ownership),
)
BY_CODE = "<!-- Made by `make generate` from the code. Do not edit. -->\n\n"


def outputs() -> Iterator[tuple[Path, str]]:
    """Every generated file and what has to be in it."""
    for name, message in MESSAGES:
        yield SCHEMAS / f"{name}.v1.json", _schema(name, message)
    yield ROOT / "docs" / "configuration.md", _configuration()
    yield ROOT / "docs" / "metrics.md", _metrics()


def _schema(name: str, message: type[Message]) -> str:
    schema = message.model_json_schema(mode="serialization")
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:safecity:schema:{name}:1",
    }
    return json.dumps({**head, **schema}, indent=2, ensure_ascii=False) + "\n"


def _configuration() -> str:
    schema = Site.model_json_schema()
    definitions = schema["$defs"]
    parts = [
        "# The site file\n\n",
        BY_CODE,
        "One TOML file describes a site. `${NAME}` anywhere in a value is taken from the environment, which\n"
        "is where passwords belong. An unknown key is an error. `safecity check site.toml` validates the\n"
        "file and tries each camera; [site.example.toml](../site.example.toml) is a beginning.\n",
    ]
    for title, path, definition in _tables(schema, definitions):
        parts += [
            f"\n## {title}\n\n",
            f"`{path}`\n\n" if path else "",
            "| key | value | default | |\n|---|---|---|---|\n",
        ]
        required = definition.get("required", [])
        for key, field in definition["properties"].items():
            default = "**required**" if key in required else _default(field)
            described = field.get("description", "").replace("|", "\\|")
            parts.append(f"| `{key}` | {_type(field, definitions)} | {default} | {described} |\n")
    return "".join(parts)


def _tables(schema: dict[str, Any], definitions: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    yield "Top level", "", schema
    for key, name in (("bus", "BusSettings"), ("detector", "DetectorSettings"), ("worker", "WorkerSettings")):
        yield key, f"[{key}]", definitions[name]
    yield "centre", "[centre]", definitions["CentreSettings"]
    yield "cameras", "[[cameras]]", definitions["Camera"]
    yield "Health of a camera", "[cameras.health]", definitions["HealthSettings"]
    yield "Zones of a camera", "[[cameras.zones]]", definitions["Zone"]
    yield "World points of a zone", "[[cameras.zones.world]]", definitions["WorldPoint"]
    yield "Lines of a camera", "[[cameras.lines]]", definitions["Line"]
    for definition in definitions.values():
        kind = definition.get("properties", {}).get("kind", {}).get("const")
        if kind:
            yield f"Rule {kind}", f'[[cameras.rules]]  kind = "{kind}"', definition


def _default(field: dict[str, Any]) -> str:
    if "default" not in field:
        return ""
    value = field["default"]
    if isinstance(value, dict) or value in (None, "", []):
        return ""
    return f"`{json.dumps(value, ensure_ascii=False)}`"


def _type(field: dict[str, Any], definitions: dict[str, Any]) -> str:
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        target = definitions[name]
        return _type(target, definitions) if "enum" in target else f"table ({name})"
    if "anyOf" in field:
        options = [option for option in field["anyOf"] if option != {"type": "null"}]
        return " or ".join(_type(option, definitions) for option in options)
    if "enum" in field or "const" in field:
        return ", ".join(f"`{value}`" for value in field.get("enum", [field.get("const")]))
    kind = field.get("type", "table")
    if kind == "array":
        inner = field.get("items")
        return f"list of {_type(inner, definitions)}" if isinstance(inner, dict) else "list"
    limits = [
        f"{sign} {field[name]:g}"
        for name, sign in (("minimum", "≥"), ("exclusiveMinimum", ">"), ("maximum", "≤"))
        if name in field
    ]
    words = {"integer": "whole number", "number": "number", "boolean": "true or false"}.get(kind, kind)
    return f"{words} {', '.join(limits)}".strip()


def _metrics() -> str:
    parts = [
        "# Metrics\n\n",
        BY_CODE,
        "In Prometheus' text format: the worker serves them at `http://<worker.metrics_host>:"
        "<worker.metrics_port>/metrics`,\nthe centre at `/metrics` beside its page.\n",
    ]
    for title, metrics in (
        ("Worker", WorkerMetrics),
        ("Worker's supervisor", SupervisorMetrics),
        ("Centre", CentreMetrics),
    ):
        parts += [f"\n## {title}\n\n", "| metric | type | labels | |\n|---|---|---|---|\n"]
        registry = CollectorRegistry()
        metrics(registry)
        for name, kind, labels, described in _described(registry):
            parts.append(f"| `{name}` | {kind} | {labels} | {described} |\n")
    return "".join(parts)


def _described(registry: CollectorRegistry) -> Iterator[tuple[str, str, str, str]]:
    for collector in dict.fromkeys(registry._collector_to_names):
        (family,) = collector.describe()  # type: ignore[attr-defined]
        suffix = "_total" if family.type == "counter" else ""
        labels = ", ".join(f"`{label}`" for label in collector._labelnames)  # type: ignore[attr-defined]
        yield family.name + suffix, family.type, labels, family.documentation


def main() -> int:
    """Write what is not current, or with ``--check`` say so."""
    stale = [
        (path, text)
        for path, text in outputs()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    for path, text in stale:
        print(f"{'not current' if '--check' in sys.argv else 'written'}: {path.relative_to(ROOT)}")
        if "--check" not in sys.argv:
            path.write_text(text, encoding="utf-8")
    return int(bool(stale) and "--check" in sys.argv)


if __name__ == "__main__":
    sys.exit(main())
