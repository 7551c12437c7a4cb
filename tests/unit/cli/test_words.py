"""No message reaches the terminal in Python's spelling: every ``name=…`` is said as the option that it is."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import twosup_chain
from twosup_chain.cli.answering import Answering, Judging
from twosup_chain.cli.calibrate import CallPrices, Files, Reading, Search, Targets
from twosup_chain.cli.command import flags_of
from twosup_chain.cli.words import spoken

CALIBRATE = flags_of(Targets, Search, Reading, CallPrices, Files)
ASK = flags_of(Answering, Judging)
PYTHON = re.compile(r"(?<![\w-])[a-z][a-z0-9_]*=(?=[\w…'\"\[{])")
ROOMS = ("calibration", "outcomes", "scoring", "evaluation/measure.py")
#: Said to who writes Python: of arrays, of records, of code that no option reaches.
OF_PYTHON = re.compile(
    r"^(local_failed|answerable|scorer|function|makes?|data|limit|local_score|remote_score|model)=|\.name="
    r"|false_alarm=|Outcomes\(|metadata=|guarantee=|function=|Scorer\(|on_local_error="
)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("pass remote_rate=…, or leave it out", "pass --remote-rate, or leave it out"),
        ("pass confidence=0.9 for a guarantee", "pass --confidence 0.9 for a guarantee"),
        (
            "the hosted calls have no costs: pass price=Price(…) with records, or Outcomes(remote_cost=…)",
            "the hosted calls have no costs: pass --price-in and --price-out with records",
        ),
        (
            "pass max_call_cost=…, or Price(…, context=…, max_tokens=…), or leave the confidence out",
            "pass --max-call-cost, or --context and --max-tokens, or leave the confidence out",
        ),
        ("unless you say beforehand how often: looks=…)", "unless you say beforehand how often: --looks)"),
        ("made for on_remote_error='local', and", "made for --on-remote-error local, and"),
        ("calibrate with fallback=True, or leave", "calibrate with --fallback, or leave"),
        ("or state the score (Supervisor(…, missing=0.0))", "or state the score (--missing 0.0)"),
        ("passages of a = b stay, and x=1 too", "passages of a = b stay, and x=1 too"),
    ],
)
def test_keywords_are_said_as_options(said, words):
    assert spoken(said, CALIBRATE) == words


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            "no reply within 1 s: raise deadline=… (None for no limit)",
            "no reply within 1 s: raise --timeout (0 for no limit)",
        ),
        (
            "carries none: switch them on (ChatOpenAI(…, logprobs=True); some servers want top_logprobs=1 too), choose",
            "carries none: switch them on, choose",
        ),
        (
            "remote_supervisor: x reads logprobs: ask; or say what stands for it (Supervisor(…, missing=…))",
            "--remote-scorer: x reads logprobs: ask",
        ),
        ("take a model (a chat model: logprobs=True, top_logprobs=5), or another", "take a model, or another"),
        ("local 'redaer' is no local model", "--local 'redaer' is no local model"),
        ("routes.docs: remote-url 'x' is no address", "routes.docs: --remote-url 'x' is no address"),
        (
            "none of a, b: pass it as scorers={'mine': …}",
            "none of a, b: pass its file, or your own scorer, as --local-scorer or --remote-scorer",
        ),
    ],
)
def test_what_asking_has_no_option_for_is_left_out(said, words):
    assert spoken(said, ASK) == words


def messages():
    """Yields every text of these rooms in which a keyword of Python stands, docstrings left out."""
    root = Path(twosup_chain.__file__).parent
    for room in ROOMS:
        place = root / room
        for path in [place] if place.suffix else sorted(place.glob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
            documented = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
            for node in ast.walk(tree):
                text = _text(node) if id(node) not in inside | documented else ""
                if PYTHON.search(text) and not OF_PYTHON.search(text):
                    yield pytest.param(text, id=f"{path.stem}:{node.lineno}")


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "7" for part in node.values)
    return ""


@pytest.mark.parametrize("text", list(messages()))
def test_no_message_that_calibrate_can_end_with_speaks_python(text):
    assert not PYTHON.search(spoken(text, {**ASK, **CALIBRATE}))
