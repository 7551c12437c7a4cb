"""A newcomer's first hour in a real terminal; every screen is kept in ``screens/``.

``TWOSUP_WRITE_SCREENS=1 pytest tests/journey`` keeps them as they are now. The hosted model is a stand-in on loopback.
"""

from __future__ import annotations

import json
import os
import venv
from pathlib import Path
from typing import NamedTuple

import pytest
from faults.server import FaultServer

pytest.importorskip("pexpect")
pytest.importorskip("pyte")
pytest.importorskip("langchain_openai")
from journey.likeness import differences
from journey.terminal import Terminal

pytestmark = [pytest.mark.alone, pytest.mark.integration]

HERE = Path(__file__).parent
SCREENS = HERE / "screens"
#: 60 questions, each on a passage of a handbook of our own, and what the hosted model says to them.
ENTRIES = [json.loads(line) for line in (HERE / "mill.jsonl").read_text(encoding="utf-8").splitlines()]
#: How many of them thresholds are fitted on; the others are held out.
FITTED = 45
FOLLOW_UP, ALONE = "And when did she move away?", "When did Enid Cole move to the coast?"
_END = "\x04"


class Step(NamedTuple):
    """What is entered, and what is typed at which prompts."""

    name: str
    command: str
    typed: tuple[tuple[str, str], ...] = ()


STEPS = (
    Step("00_install", '. new/bin/activate && pip install --quiet "$PROJECT[openai]" 2>/dev/null && echo installed'),
    Step("01_version", "twosup --version"),
    Step("02_demo", "twosup demo --show 3"),
    Step("03_ask", 'twosup ask "Who was the last miller at Ottery?" --context handbook.md'),
    Step(
        "04_init", "twosup init", (("[reader]: ", ""), ("none): ", "openai:gpt-4.1-mini"), ("[OPENAI_API_KEY]: ", ""))
    ),
    Step("05_init_again", "twosup init --remote good --remote-url $HOSTED --force"),
    Step("06_ask_hosted", 'twosup ask "Who built the turbine?" -c handbook.md'),
    Step("07_collect", "twosup collect questions.jsonl --concurrency 1"),
    Step("08_calibrate", "twosup calibrate records.jsonl --risk 0.25"),
    Step("09_calibrate_saved", "twosup calibrate records.jsonl --risk 0.25 --out calibration.json"),
    Step("10_collect_held_out", "twosup collect held-out.jsonl --out held-out-records.jsonl --concurrency 1"),
    Step("11_evaluate", "twosup evaluate held-out-records.jsonl --calibration calibration.json --out report"),
    Step(
        "12_ask_calibrated",
        'twosup ask "When does the last bus to Marle leave?" -c handbook.md --calibration calibration.json',
    ),
    Step(
        "13_chat",
        "twosup chat -c handbook.md --calibration calibration.json",
        (("you> ", "Who was the last miller at Ottery?"), ("you> ", FOLLOW_UP), ("you> ", _END)),
    ),
)


def hosted(asked: str) -> str:
    """Returns what the hosted model says: to a question of the handbook, or to one that it is to rewrite."""
    if f"Last question: {FOLLOW_UP}" in asked:
        return ALONE
    return next((entry["hosted"] for entry in ENTRIES if entry["question"] in asked), "unanswerable")


@pytest.fixture(scope="module")
def screens(tmp_path_factory):
    """Plays the hour once; what stands on the screen after each step, by name."""
    folder = tmp_path_factory.mktemp("mill")
    venv.create(folder / "new", with_pip=True)
    (folder / "handbook.md").write_text("\n\n".join(entry["context"] for entry in ENTRIES) + "\n", encoding="utf-8")
    for name, part in {"questions": ENTRIES[:FITTED], "held-out": ENTRIES[FITTED:]}.items():
        lines = [json.dumps({field: entry[field] for field in ("question", "context", "answers")}) for entry in part]
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with FaultServer(answer=hosted, keep_alive=True) as server:
        terminal = Terminal(folder, HOSTED=server.url("good"), PROJECT=str(HERE.parents[1]))
        try:
            seen = {step.name: terminal.screen(step.command, step.typed) for step in STEPS}
        finally:
            terminal.close()
    if os.environ.get("TWOSUP_WRITE_SCREENS"):
        SCREENS.mkdir(exist_ok=True)
        for name, screen in seen.items():
            (SCREENS / f"{name}.txt").write_text(screen, encoding="utf-8")
    return seen


@pytest.mark.parametrize("name", [step.name for step in STEPS])
def test_the_screen_is_as_it_was_kept(screens, name):
    kept = (SCREENS / f"{name}.txt").read_text(encoding="utf-8")
    assert not differences(kept, screens[name]), screens[name]


def test_no_screen_speaks_python_or_shows_a_traceback(screens):
    for screen in screens.values():
        assert "Traceback" not in screen
        assert "=…" not in screen


def test_no_screen_is_kept_that_no_step_shows():
    assert {path.stem for path in SCREENS.glob("*.txt")} == {step.name for step in STEPS}
