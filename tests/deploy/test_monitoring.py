"""Alerts and dashboard: rules that promtool has tried, and no name of a metric that nobody gives."""

import json

import pytest
import yaml

from tests.deploy.tools import DEPLOY, metric_names, run, tool, unknown_metrics

RULES = [
    rule
    for group in yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]
PANELS = json.loads((DEPLOY / "grafana" / "dashboard.json").read_text())["panels"]
QUERIES = [(panel["title"], query["expr"]) for panel in PANELS for query in panel.get("targets", [])]


def test_prometheus_accepts_its_file():
    checked = run(tool("promtool"), "check", "config", "--syntax-only", "prometheus/prometheus.yml")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_alerts_do_what_their_tests_say():
    checked = run(tool("promtool"), "check", "rules", "prometheus/alerts.yml")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    tried = run(tool("promtool"), "test", "rules", "prometheus/alerts_test.yml")
    assert tried.returncode == 0, tried.stdout + tried.stderr


def test_each_alert_is_raised_by_one_test_and_says_what_to_do():
    tests = yaml.safe_load((DEPLOY / "prometheus" / "alerts_test.yml").read_text())["tests"]
    raised = {
        case["alertname"] for test in tests for case in test["alert_rule_test"] if case.get("exp_alerts")
    }
    assert raised == {rule["alert"] for rule in RULES}
    for rule in RULES:
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["action"]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_names_metrics_that_there_are(rule):
    assert unknown_metrics(rule["expr"]) == set()


@pytest.mark.parametrize(("title", "expression"), QUERIES, ids=lambda text: text[:40])
def test_a_panel_names_metrics_that_there_are_in_an_expression_that_can_be_read(title, expression, tmp_path):
    assert unknown_metrics(expression) == set()
    rules = tmp_path / "rules.yml"
    group = {"name": "panels", "rules": [{"record": "panel", "expr": expression}]}
    rules.write_text(yaml.safe_dump({"groups": [group]}))
    checked = run(tool("promtool"), "check", "rules", str(rules))
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_panels_lie_side_by_side_and_not_on_each_other():
    taken = set()
    for panel in PANELS:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells


def test_a_name_that_nobody_gives_would_be_found():
    assert unknown_metrics("rate(safecity_worker_framez_total[5m])") == {"safecity_worker_framez_total"}
    assert "safecity_centre_event_latency_seconds_bucket" in metric_names()
