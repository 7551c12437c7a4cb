from __future__ import annotations

from twosup_chain.service.decision import Decision
from twosup_chain.service.feedback import Feedback
from twosup_chain.service.stats import Money, stats


def made(number, source, **fields):
    known = {"id": str(number), "route": "r", "caller": None, "time": number, "question": "x", "reason": ""}
    return Decision(**known, source=source, status="answered", seconds=number, **fields)


def test_it_counts_what_was_decided_paid_and_said():
    decisions = [
        made(1, "local", cost=0.0, always_remote=0.5, currency="EUR", shadow=True, shadow_cost=0.25),
        made(2, "local", cost=0.0, always_remote=0.5, currency="EUR"),
        made(3, "remote", cost=1.0, always_remote=1.0, currency="EUR", estimated=True),
        made(4, "remote"),
    ]
    found = stats(decisions, {"1": Feedback(decision="1", right=True), "2": Feedback(decision="2", right=False)})
    assert (found.decisions, found.since, found.until) == (4, 1.0, 4.0)
    assert found.sources == {"local": 2, "remote": 2}
    assert found.money == (Money(currency="EUR", spent=1.0, shadow=0.25, always_remote=2.0, estimated=1),)
    assert found.labelled == {"local": 2}
    assert found.right["local"].value == 0.5
    assert found.right["local"].low < 0.02
    assert found.seconds[0] == 2.5
    assert found.shadowed == 1


def test_an_empty_log_has_no_figures():
    assert stats([], {}).seconds is None
