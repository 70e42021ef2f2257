"""What a bench leaves behind."""

import json
import subprocess
import sys

import pytest

from safecity.bench.report import bar_plot, check_outputs, show_table, shown, write_report
from safecity.cli import UsageError

ROWS = [{"name": "ours", "rate": 1234.5, "n": 3}, {"name": "theirs", "rate": 0.01234, "n": None}]


def test_the_json_has_rows_machine_and_what_is_added(tmp_path):
    path = tmp_path / "report.json"
    write_report("demo", ROWS, json_path=path, extra={"plan": {"messages": 3}})
    document = json.loads(path.read_text())
    assert document["bench"] == "demo"
    assert document["rows"] == ROWS
    assert document["plan"] == {"messages": 3}
    machine = document["machine"]
    assert machine["cores"] >= machine["cores_allowed"] >= 1
    assert machine["cpu"]
    assert machine["libraries"]["numpy"]
    assert len(machine["load_average"]) == 3


def test_the_table_shows_what_the_columns_name(capsys):
    show_table("Rates", ROWS, {"name": "what", "rate": "a second"})
    said = capsys.readouterr().out
    assert "1,234" in said
    assert "0.0123" in said
    assert "theirs" in said


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (12345, "12,345"), (12345.6, "12,346"), (1.23456, "1.23"), ("x", "x"), (0.0, "0")],
)
def test_values_are_shown_with_the_figures_that_count(value, text):
    assert shown(value) == text


@pytest.mark.parametrize("series", [{"a": [1.0, 20.0]}, {"a": [1.0, 20.0], "b": [2.0, 3.0]}])
def test_the_plot_is_a_picture(tmp_path, series):
    path = tmp_path / "plot.png"
    bar_plot(path, "Rates", ["one", "two"], series, unit="a second", log=True)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_a_picture_of_unknown_kind_is_refused(tmp_path):
    with pytest.raises(UsageError, match="--plot"):
        bar_plot(tmp_path / "plot.nonsense", "Rates", ["one"], {"a": [1.0]}, unit="s")


def test_a_missing_folder_is_said_before_the_work(tmp_path):
    with pytest.raises(UsageError, match="there is no folder"):
        check_outputs(tmp_path / "none" / "x.json", None)


def test_without_matplotlib_the_plot_says_what_to_install(tmp_path):
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "from pathlib import Path\n"
        "from safecity.bench.report import check_outputs\n"
        f"check_outputs(None, Path({str(tmp_path / 'x.png')!r}))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "pip install 'safecity[analysis]'" in ended.stderr
