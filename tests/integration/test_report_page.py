"""The report in a real browser: sliders are moved, questions searched and opened, and what is shown is read back."""

import json

import numpy as np
import pytest
from browser import browser, needs_chromium

from twosup_chain import Price, evaluate
from twosup_chain.calibration.record import CalibratedSupervisor
from twosup_chain.errors import InputError
from twosup_chain.outcomes.decisions import decide
from twosup_chain.text.questions import LabelledQuestion, digest

pytestmark = [pytest.mark.integration, needs_chromium]
COUNT = 120


@pytest.fixture(scope="module")
def questions():
    return [
        LabelledQuestion(
            id=f"q{n}",
            question=f"Who wrote letter {n}?",
            context=f"Letter {n} was written by Ada {n}. <b>Nobody</b> else wrote it.",
            answers=() if n % 3 == 0 else (f"Ada {n}",),
            is_impossible=n % 3 == 0,
        )
        for n in range(COUNT)
    ]


@pytest.fixture(scope="module")
def records(questions, tmp_path_factory):
    """Records of two models whose trust tells something of what is right."""
    draw = np.random.default_rng(0)

    def prediction(question, right, model):
        said_none = question.is_impossible == right
        told = (
            {"no_answer": True} if said_none else {"no_answer": False, "text": question.answers[0] if right else "Ben"}
        )
        trust = round(float(np.clip(draw.normal(0.65 if right else 0.4, 0.15), 0, 1)), 4)
        usage = {"input_tokens": 100, "output_tokens": 10}
        found = {"exact_match": float(right), "f1": float(right), "trust": {"s": trust}, "usage": usage}
        return {**told, **found, "model": model, "seconds": 0.5}

    lines = []
    for number, question in enumerate(questions):
        local, remote = (bool(draw.random() < share) for share in (0.6, 0.8))
        fields = {
            "version": 3,
            "id": question.id,
            "digest": digest(question),
            "answerable": not question.is_impossible,
            "local": prediction(question, local, "small"),
            "remote": {"error": "TimeoutError"} if number % 40 == 7 else prediction(question, remote, "large"),
            "question": question.question,
            "answers": list(question.answers),
        }
        lines.append(json.dumps(fields))
    path = tmp_path_factory.mktemp("records") / "records.jsonl"
    path.write_text("\n".join(lines) + "\n")
    return path


def settings(local, remote):
    return {
        "local_supervisor": CalibratedSupervisor(scorer="s", threshold=local),
        "remote_supervisor": CalibratedSupervisor(scorer="s", threshold=remote),
        "price": Price(1000, 1000, "EUR"),
    }


@pytest.fixture(scope="module")
def report(records, questions, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    evaluate(records, **settings(0.7, 0.5), draws=100).save(folder / "other")
    found = evaluate(records, **settings(0.55, 0.45), draws=100, questions=questions, beside=folder / "other")
    return found, found.save(folder / "this")


@pytest.fixture(scope="module")
def page(report, tmp_path_factory):
    with browser(tmp_path_factory.mktemp("browser")) as page:
        page.open(report[1].as_uri())
        yield page


def now(page):
    return {key: page.text(f"#now-{key}") for key in ("calls", "coverage", "risk", "right", "cost")}


def expected(found, local, remote):
    """Returns what the sliders have to show, by the one decision on columns."""
    made = decide(found.outcomes, local, remote)
    answered, right = made.answered.sum(), (made.answered & made.right).sum()
    counts = {"calls": made.escalated.sum(), "coverage": answered, "right": right}
    shares = {key: count / COUNT for key, count in counts.items()} | {"risk": (answered - right) / answered}
    cost = 1000 * found.outcomes.remote_cost[made.escalated].sum() / COUNT
    return {key: f"{100 * share:.1f} %" for key, share in shares.items()} | {"cost": f"{cost:#.3g}".rstrip(".")}


def test_the_sliders_decide_as_the_chain_does(report, page):
    found, _ = report
    assert now(page) == expected(found, 0.55, 0.45)
    for role, x in (("local", 0.3), ("remote", 0.8), ("local", 0.9)):
        page.click(f"#{role}-threshold", x)
        local, remote = (float(page.text(f"#{role}-shown")) for role in ("local", "remote"))
        assert now(page) == expected(found, local, remote)
    assert (local, remote) != (0.55, 0.45)
    page.click("#reset")
    assert now(page) == expected(found, 0.55, 0.45)


def test_questions_are_searched_chosen_and_opened_with_their_passage(report, page):
    assert page.text("#found") == f"{COUNT} of {COUNT} questions"
    assert page.read("document.querySelectorAll('.question').length") == 50
    page.click("#more")
    assert page.read("document.querySelectorAll('.question').length") == 100
    page.click("#search")
    page.write("letter 53?")
    assert page.text("#found") == f"1 of {COUNT} questions"
    page.click(".question summary")
    opened = page.text(".question .detail")
    assert "Letter 53 was written by Ada 53. <b>Nobody</b> else wrote it." in opened
    assert page.text(".question mark") == "Ada 53"
    page.read("Object.assign(document.getElementById('search'), {value: ''}).dispatchEvent(new Event('input'))")
    page.read("Object.assign(document.getElementById('which'), {value: 'wrong'}).dispatchEvent(new Event('change'))")
    decisions = decide(report[0].outcomes, 0.55, 0.45)
    assert page.text("#found").startswith(f"{(decisions.answered & ~decisions.right).sum()} of ")


def test_another_run_stands_beside_this_one(page):
    heading = "[...document.querySelectorAll('h2')].find(h => h.innerText === 'Beside another run')"
    rows = page.read(f"{heading}.parentElement.innerText")
    assert "the same ones" in rows
    assert "s ≥ 0.55" in rows
    assert "s ≥ 0.7" in rows


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [400, 1280])
def test_the_page_fits_its_window_and_asks_for_nothing(page, report, width, dark, tmp_path):
    page.look(width, dark=dark)
    assert page.read("document.documentElement.scrollWidth") <= width
    ground = page.read("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(20, 24, 28)" if dark else "rgb(255, 255, 255)")
    (tmp_path / "page.png").write_bytes(page.picture())
    assert set(page.requests) <= {report[1].as_uri()}
    assert page.faults == []


def test_questions_that_are_not_those_of_the_records_are_refused(records, questions):
    other = [question.model_copy(update={"context": "Another passage."}) for question in questions]
    with pytest.raises(InputError, match="is another one in questions= than in the records"):
        evaluate(records, **settings(0.5, 0.5), draws=10, questions=other)
