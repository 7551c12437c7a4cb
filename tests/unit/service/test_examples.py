"""The example of a file is one, and the dashboard asks for nothing that the server does not tell."""

from __future__ import annotations

import json
import re
from pathlib import Path

from twosup_chain.service.build import routes
from twosup_chain.service.config import load
from twosup_chain.service.metrics import Metrics

EXAMPLES = Path(__file__).parents[3] / "examples"


def test_the_example_of_a_file_is_one(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-a-test")
    monkeypatch.chdir(tmp_path)
    made = routes(load(EXAMPLES / "twosup.toml"))["docs"]
    assert made.chain.gate.budget.caps.day == 5.0
    account = made.chain.never_escalate.rules[0].pattern
    assert account.search("My account is GB29 NWBK 6016 1331 9268 19.")
    assert not account.search("The library opened in 1911.")


def test_the_dashboard_asks_for_what_there_is() -> None:
    dashboard = json.loads((EXAMPLES / "grafana.json").read_text(encoding="utf-8"))
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    told = {family.name for family in Metrics()._registry.collect()}
    found = {name for expr in asked for name in re.findall(r"twosup_\w+", expr)}
    assert {re.sub(r"_(total|bucket|count|sum)$", "", name) for name in found} == told
    places = [tuple(panel["gridPos"].values())[:2] for panel in dashboard["panels"]]
    assert len(set(places)) == len(places)
