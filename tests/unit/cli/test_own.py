"""Parts of the user's own, from a file outside the package, wherever the command line takes a packaged one."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from twosup_chain import Calibration, parts
from twosup_chain.errors import ConfigurationError

#: Half of the questions are about the lamp, which the local model knows; the hosted one knows all, at a price of trust.
OWN = '''
from twosup_chain import Answer
from twosup_chain.answerers.base import InProcessAnswerer
from twosup_chain.calibration.targets import Rate
from twosup_chain.scoring.scorer import Scorer


class Glossary(InProcessAnswerer):
    """Knows what burns in a lamp, and guesses the same of all else."""

    def answer_many(self, inputs):
        return [Answer("oil", scores={"answerability": 0.5}, model="glossary-1") for _ in inputs]


def hosted():
    """Makes the hosted model."""
    return quote


def quote(question):
    """Quotes the last word of the passage."""
    return {"text": question.passages[0].rstrip(".").split()[-1], "model": "hosted-1"}


def about_lamps(question, answer):
    """Trusts what is said of lamps."""
    return 0.9 if "lamp" in question.question else 0.1


SHORT = Scorer(name="short", function=lambda question, answer, local=None: 1.0 if len(answer.text) < 9 else 0.0)


class OpenShare(Rate):
    """The share of questions that are left open."""

    name = "open_share"

    def counts(self, tally):
        return tally.n - tally.answered, tally.n + 0 * tally.answered


def a_tenth():
    """A target of its own limit."""
    return OpenShare(0.1)


NOTHING = 3
'''


@pytest.fixture
def own(tmp_path, monkeypatch):
    """The file, in the working folder; returns a function that names one of its parts."""
    (tmp_path / "mine.py").write_text(OWN, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "mine", raising=False)
    return lambda name: f"{tmp_path / 'mine.py'}:{name}"


def _data(numbers):
    for number in numbers:
        yield {
            "id": f"{number}",
            "question": f"What does {'the lamp' if number % 2 else 'the engine'} {number} burn?",
            "context": f"Number {number} burns {'oil' if number % 2 else 'coal'}.",
            "answers": ["oil" if number % 2 else "coal"],
        }


@pytest.fixture
def records(twosup, own, tmp_path):
    """What ``collect`` recorded with answerers and scorers of the file: questions to calibrate on, and others."""
    models = ("--local", own("Glossary"), "--remote", own("hosted"))
    scorers = ("--scorer", own("about_lamps"), "--scorer", own("SHORT"))
    files = []
    for first in (0, 120):
        data, out = (str(tmp_path / f"{name}{first}.jsonl") for name in ("data", "records"))
        Path(data).write_text("\n".join(map(json.dumps, _data(range(first, first + 120)))), encoding="utf-8")
        result = twosup("collect", data, "--out", out, *models, *scorers, "--json")
        assert result.exit_code == 0, result.stderr
        done = json.loads(result.stdout)
        assert (done["recorded"], done["local_model"], done["remote_model"]) == (120, "glossary-1", "hosted-1")
        files.append(out)
    return files


def test_a_scorer_a_target_and_answerers_go_from_collect_through_calibrate_to_evaluate(twosup, own, records, tmp_path):
    out, (records, others) = str(tmp_path / "calibration.json"), records
    scorers = ("--local-scorer", own("about_lamps"), "--remote-scorer", own("SHORT"))
    target = ("--target", f"{own('OpenShare')}=0.1")
    result = twosup("calibrate", records, "--risk", "0.1", *target, *scorers, "--out", out)
    assert result.exit_code == 0, result.stderr
    made = Calibration.load(out)
    assert (made.local.scorer, made.remote.scorer) == ("about_lamps", "short")
    assert {promise.target for promise in made.promises} == {"risk", "open_share"}
    assert 0.1 < made.local.threshold <= 0.9

    held = twosup("calibrate", others, "--check", out, "--target", own("OpenShare"), "--json")
    assert {promise["target"] for promise in json.loads(held.stdout)["targets"]} == {"risk", "open_share"}

    found = json.loads(twosup("evaluate", others, "-c", out, *target, "--json").stdout)
    assert found["systems"]["chain"]["exact_match"]["value"] == 1.0
    assert found["savings"]["calls"]["chain"] == 60

    thresholds = ("--local-threshold", "0.5", "--remote-threshold", "0.5")
    same = json.loads(twosup("evaluate", others, *scorers, *thresholds, "--json").stdout)
    assert same["systems"] == found["systems"]


@pytest.mark.parametrize(("question", "source", "answer"), [("lamp", "local", "oil"), ("engine", "remote", "coal")])
def test_ask_runs_a_chain_of_parts_from_the_file(twosup, own, tmp_path, question, source, answer):
    (tmp_path / "passage.txt").write_text("Number 3 burns coal.", encoding="utf-8")
    models = ("--local", own("Glossary"), "--remote", own("hosted"))
    local = ("--local-scorer", own("about_lamps"), "--local-threshold", "0.5")
    remote = ("--remote-scorer", own("SHORT"), "--remote-threshold", "0.5")
    result = twosup("ask", f"What burns in the {question}?", "-c", "passage.txt", *models, *local, *remote, "--json")
    found = json.loads(result.stdout)
    assert (found["source"], found["answer"]) == (source, answer)
    assert found["local_verdict"]["scorer"] == "about_lamps"


def test_a_module_in_the_working_folder_is_found_by_its_name(own):
    assert parts.local_answerer("mine:Glossary").get_name() == "Glossary"
    assert parts.scorer_of("mine:about_lamps", "local").name == "about_lamps"
    assert parts.own_target("mine:a_tenth").limit == 0.1


@pytest.mark.parametrize(
    ("option", "spec", "words"),
    [
        ("--local", "mine:NOTHING", "--local mine:NOTHING"),
        ("--local", "mine:Nobody", "has no 'Nobody'; it has"),
        ("--local", "nowhere.py:Glossary", "nowhere.py cannot be imported"),
        ("--local-scorer", "mine:NOTHING", "neither a scorer's name"),
    ],
)
def test_what_is_no_part_is_one_line_with_exit_code_2(twosup, own, tmp_path, option, spec, words):
    (tmp_path / "passage.txt").write_text("Number 3 burns coal.", encoding="utf-8")
    given = {"--local": own("Glossary"), "--local-scorer": own("about_lamps"), option: spec}
    rest = [word for pair in given.items() for word in pair]
    result = twosup("ask", "What?", "-c", "passage.txt", "--local-threshold", "0", *rest)
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    assert words in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("mine:NOTHING", "is no target"),
        ("mine:OpenShare=much", "'much' is no limit of it: write mine:OpenShare=0.05"),
        ("mine:OpenShare=2", "open_share=2.0"),
        ("mine:a_tenth=1", "'1' is no limit of it"),
    ],
)
def test_what_is_no_target_is_named(own, spec, words):
    with pytest.raises(ConfigurationError, match=words):
        parts.own_target(spec)


def test_a_hosted_model_that_is_no_part_is_named_too(own):
    with pytest.raises(ConfigurationError, match=r"--remote 'nowhere.py:Glossary': nowhere.py cannot be imported"):
        parts.remote_answerer("nowhere.py:Glossary", None, None)


@pytest.mark.parametrize("spec", ["openai:gpt", "anthropic:claude", "nosuchprovider:model", "qwen2.5:7b"])
def test_a_model_of_a_provider_is_not_taken_for_a_module(spec):
    assert not parts._is_own(spec)
