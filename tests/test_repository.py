"""The repository itself: nothing stale, nothing that belongs to one machine."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from safecity.settings import load_site

ROOT = Path(__file__).parent.parent
PACKAGES = ("safecity", "detectors", "ingest", "command_center")


def text_files() -> list[Path]:
    skipped = {".git", ".venv", "__pycache__", "node_modules"}
    suffixes = {".py", ".md", ".toml", ".yaml", ".yml", ".json", ".js", ".css", ".html", ""}
    return [
        path
        for path in ROOT.rglob("*")
        if path.is_file()
        and path.suffix in suffixes
        and not any(part in skipped or part.startswith(".") for part in path.relative_to(ROOT).parts[:-1])
        and path.name != "test_repository.py"
    ]


def test_what_is_generated_is_current():
    checked = subprocess.run(
        [sys.executable, "docs/generate.py", "--check"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert checked.returncode == 0, f"run make generate:\n{checked.stdout}{checked.stderr}"


def test_no_file_names_a_place_of_one_machine():
    pattern = re.compile(r"(?<![\w.])/(?:work|root|home)/\w+")
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in text_files()
        for match in pattern.finditer(path.read_text(encoding="utf-8", errors="replace"))
    ]
    assert found == []


@pytest.mark.parametrize("document", sorted(path.relative_to(ROOT) for path in ROOT.glob("*.md")), ids=str)
def test_links_lead_somewhere(document):
    text = (ROOT / document).read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)", text) if "://" not in link]
    assert [link for link in links if not (ROOT / document).parent.joinpath(link).exists()] == []


def test_every_module_says_what_it_is():
    silent = [
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []


def test_the_example_site_loads(monkeypatch):
    monkeypatch.setenv("GATE_1_PASSWORD", "not-a-real-one")
    site = load_site(ROOT / "site.example.toml")
    assert [camera.id for camera in site.cameras] == ["gate-1", "quay-3"]


def test_the_packages_are_those_that_are_installed():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == list(PACKAGES)
    assert project["project"]["version"] in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
