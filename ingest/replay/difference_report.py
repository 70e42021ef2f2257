"""A difference as table, JSON and a page that needs nothing but itself."""

import base64
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

from rich.console import Console
from rich.markup import escape as plain
from rich.table import Table

from ingest.replay.difference import Difference, Pair
from safecity.event import Event
from safecity.message import format_utc

Pictures = Callable[[Event], bytes | None]
"""The picture of an event, JPEG; None: there is none."""

CONSEQUENCES = frozenset({"box", "occurred_at", "tracks"})
"""Fields that people are not shown where others have changed too."""
STYLE = """
:root{color-scheme:light dark;--line:#8884;--soft:#777;--new:#1a7f37;--gone:#b42318;--changed:#9a6700}
body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:1180px;padding:0 1rem}
h1{font-size:1.5rem;margin:0}h2{margin:2rem 0 .6rem;font-size:1.15rem}
.soft{color:var(--soft)}.counts{display:flex;gap:1rem;flex-wrap:wrap;margin:1.2rem 0}
.counts a{border:1px solid var(--line);border-radius:.6rem;padding:.5rem 1rem;text-decoration:none}
.counts a{color:inherit}
.counts b{font-size:1.5rem;display:block;font-variant-numeric:tabular-nums}
.grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(330px,1fr));gap:1rem}
article{border:1px solid var(--line);border-left:5px solid var(--tone);border-radius:.5rem}
article{padding:.7rem .9rem}
.new{--tone:var(--new)}.gone{--tone:var(--gone)}.changed{--tone:var(--changed)}
h3{margin:0 0 .1rem;font-size:1rem}.pictures{display:flex;gap:.4rem;margin:.5rem 0}
figure{margin:0;flex:1;position:relative;min-width:0}figure img{width:100%;display:block;border-radius:.3rem}
figure i{position:absolute;border:2px solid #ff3b30;box-shadow:0 0 0 1px #0008;box-sizing:border-box}
figcaption{font-size:.78rem;color:var(--soft)}
table{border-collapse:collapse;width:100%;font-size:.86rem;table-layout:fixed}
td,th{text-align:left;border-top:1px solid var(--line);padding:.2rem .4rem .2rem 0;vertical-align:top;
overflow-wrap:anywhere}
"""


def document(difference: Difference, names: tuple[str, str]) -> dict[str, Any]:
    """For programs."""
    return {
        "a": names[0],
        "b": names[1],
        "counts": counts(difference),
        "gone": [event.model_dump(mode="json") for event in difference.gone],
        "new": [event.model_dump(mode="json") for event in difference.new],
        "changed": [_changed(pair) for pair in difference.changed],
        "same": [[pair.before.event_id, pair.after.event_id] for pair in difference.same],
    }


def counts(difference: Difference) -> dict[str, int]:
    """How many of each."""
    return {
        "same": len(difference.same),
        "changed": len(difference.changed),
        "gone": len(difference.gone),
        "new": len(difference.new),
    }


def show(difference: Difference, console: Console) -> None:
    """As a table: what is the same is only counted."""
    table = Table("", "time", "camera", "rule", "where", "what changed")
    rows = [("[red]gone[/]", event, "") for event in difference.gone]
    rows += [("[green]new[/]", event, "") for event in difference.new]
    rows += [("[yellow]changed[/]", pair.before, _in_short(pair)) for pair in difference.changed]
    for sign, event, what in sorted(rows, key=lambda row: (row[1].opened_at, row[1].event_id)):
        where = event.zone or event.line or ""
        table.add_row(sign, format_utc(event.opened_at), event.camera_id, event.rule, where, plain(what))
    if rows:
        console.print(table)
    console.print(", ".join(f"{number} {name}" for name, number in counts(difference).items()))


def page(difference: Difference, names: tuple[str, str], pictures: Pictures) -> str:
    """As HTML, with pictures where there are any; style and pictures are in it."""
    number = counts(difference)
    links = "".join(f'<a href="#{name}"><b>{n}</b>{name}</a>' for name, n in number.items())
    parts = [
        '<!doctype html><html lang="en"><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width"><title>safecity: two runs compared</title>',
        f"<style>{STYLE}</style><h1>Two runs compared</h1>",
        f'<p class="soft">A: {escape(names[0])}<br>B: {escape(names[1])}</p>',
        f'<div class="counts">{links}</div>',
        _section("changed", "Changed", [_pair_card(pair, pictures) for pair in difference.changed]),
        _section("gone", "Gone: only in A", [_card("gone", e, pictures, "A") for e in difference.gone]),
        _section("new", "New: only in B", [_card("new", e, pictures, "B") for e in difference.new]),
        f'<h2 id="same">The same in both: {number["same"]}</h2>',
    ]
    return "\n".join(part for part in parts if part) + "\n</html>\n"


def _section(name: str, title: str, cards: list[str]) -> str:
    if not cards:
        return ""
    return f'<h2 id="{name}">{title} ({len(cards)})</h2><div class="grid">{"".join(cards)}</div>'


def _card(tone: str, event: Event, pictures: Pictures, run: str) -> str:
    shown = _figure(event, pictures, run)
    return f'<article class="{tone}">{_heading(event)}<div class="pictures">{shown}</div></article>'


def _pair_card(pair: Pair, pictures: Pictures) -> str:
    shown = _figure(pair.before, pictures, "A") + _figure(pair.after, pictures, "B")
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{escape(_short(a))}</td><td>{escape(_short(b))}</td></tr>"
        for name, (a, b) in _telling(pair).items()
    )
    table = f"<table><tr><th></th><th>A</th><th>B</th></tr>{rows}</table>"
    pictured = f'<div class="pictures">{shown}</div>' if shown else ""
    return f'<article class="changed">{_heading(pair.before)}{pictured}{table}</article>'


def _heading(event: Event) -> str:
    what = f"{event.kind.replace('_', ' ')} · {event.rule}"
    facts = [format_utc(event.opened_at), event.camera_id, event.zone or event.line, event.severity.value]
    facts += [f"{name}={value}" for name, value in event.attributes.items()]
    return f'<h3>{escape(what)}</h3><div class="soft">{escape(" · ".join(filter(None, facts)))}</div>'


def _figure(event: Event, pictures: Pictures, run: str) -> str:
    jpeg = pictures(event)
    if jpeg is None:
        return ""
    boxes = [track.box for track in event.tracks] or ([event.box] if event.box else [])
    marks = "".join(
        f'<i style="left:{x1:.2%};top:{y1:.2%};width:{x2 - x1:.2%};height:{y2 - y1:.2%}"></i>'
        for x1, y1, x2, y2 in boxes
    )
    source = f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"
    return f'<figure><img alt="" src="{source}">{marks}<figcaption>{run}</figcaption></figure>'


def _changed(pair: Pair) -> dict[str, Any]:
    return {
        "before": pair.before.model_dump(mode="json"),
        "after": pair.after.model_dump(mode="json"),
        "changes": {name: list(values) for name, values in pair.changes.items()},
        "same_id": pair.same_id,
    }


def _telling(pair: Pair) -> dict[str, tuple[Any, Any]]:
    """What changed, without what follows from it."""
    chosen = {name: values for name, values in pair.changes.items() if name not in CONSEQUENCES}
    return chosen or pair.changes


def _in_short(pair: Pair) -> str:
    return "\n".join(f"{name}: {_short(a)} → {_short(b)}" for name, (a, b) in _telling(pair).items())


def _short(value: Any) -> str:
    """A field's value in a line."""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Mapping):
        return " ".join(f"{name}={_short(item)}" for name, item in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(_short(item) for item in value) or "none"
    return "none" if value is None else str(value)
