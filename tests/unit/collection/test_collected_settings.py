"""Records of differently asked models are not mixed in one file."""

from __future__ import annotations

import pytest
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.prompts import ChatPromptTemplate

from twosup_chain import ChatAnswerer, ExtractiveReader, TwoSupervisorChain, calibrate, check, collect
from twosup_chain.answerers.consistency import SelfConsistent
from twosup_chain.answerers.settings import settings_of
from twosup_chain.errors import CalibrationMismatchError, RecordsError, ResumeError
from twosup_chain.fitting.fit_scorer import fit_scorer
from twosup_chain.outcomes.features import read_features
from twosup_chain.records.lines import read_records
from twosup_chain.schema import Answer
from twosup_chain.testing import ScriptedAnswerer
from twosup_chain.text.questions import LabelledQuestion

QUESTIONS = [
    LabelledQuestion(id=name, question=f"Who {name}?", context="Ada wrote it.", answers=("Ada",)) for name in "abc"
]
PLAIN = ScriptedAnswerer(script={question.question: Answer("Ada") for question in QUESTIONS})


def _model():
    return GenericFakeChatModel(messages=iter([AIMessage("Ada")] * 9))


CHAT = ChatAnswerer(_model())


@pytest.mark.parametrize(
    ("first", "second", "named"),
    [
        (("local", ExtractiveReader()), ("local", ExtractiveReader(max_answer_tokens=7)), "max_answer_tokens"),
        (("local", ExtractiveReader(max_answer_tokens=7)), ("local", ExtractiveReader()), "max_answer_tokens"),
        (("remote", CHAT), ("remote", ChatAnswerer(_model(), instructions="Be brief. " * 50)), "instructions"),
        (("remote", CHAT), ("remote", ChatAnswerer(_model(), examples=())), "examples"),
        (
            ("remote", ChatAnswerer(_model(), prompt=ChatPromptTemplate.from_template("{question}"))),
            ("remote", ChatAnswerer(_model(), prompt=ChatPromptTemplate.from_template("Now: {question}"))),
            "prompt",
        ),
        (("remote", CHAT), ("remote", ChatAnswerer(_model().bind(temperature=0.7))), "temperature"),
        (("remote", _model().bind(logprobs=True)), ("remote", _model()), "logprobs"),
        (("remote", _model().bind(temperature=0.1)), ("remote", _model().bind(temperature=0.2)), "temperature"),
        (("remote", SelfConsistent(PLAIN, samples=2)), ("remote", SelfConsistent(PLAIN, samples=3)), "samples"),
    ],
)
def test_a_file_is_not_continued_with_other_settings(tmp_path, first, second, named):
    out = tmp_path / "records.jsonl"

    def run(part, limit):
        models = {"local": PLAIN, "remote": PLAIN, **dict([part])}
        collect(QUESTIONS, out=out, scorers=["agreement"], limit=limit, **models)

    run(first, 1)
    run(first, 2)
    assert sum(record.settings is not None for record in read_records(out)) <= 1
    before = out.read_bytes()
    with pytest.raises(ResumeError, match=f"was collected with {named}=.* of the {first[0]} model, not"):
        run(second, 3)
    assert out.read_bytes() == before


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    """Files of the same twenty kinds of questions, by the temperature of the hosted model, the first call failed."""
    folder, found = tmp_path_factory.mktemp("collected"), {}
    for temperature in (0.1, 0.2):
        asked = [
            LabelledQuestion(id=f"{temperature} {i}", question=f"{i}?", context=f"Ada {i}.", answers=("Ada",))
            for i in range(40)
        ]
        remote = ScriptedAnswerer(script={one.question: Answer("Ada") for one in asked}).bind(temperature=temperature)
        out = folder / f"{temperature}.jsonl"
        collect(asked, out=out, local=ScriptedAnswerer(script={}), remote=remote, scorers=["in_context"], limit=1)
        local = ScriptedAnswerer(script={one.question: Answer("Ada", token_logprobs=(-0.1,)) for one in asked})
        collect(asked, out=out, local=local, remote=remote, scorers=["in_context"])
        found[temperature] = out, local, remote
    return found


def test_files_that_were_collected_with_other_settings_are_not_read_together(collected):
    paths = [out for out, _, _ in collected.values()]
    said = r"0\.2\.jsonl, line 1: the files before were collected with temperature=0\.1 of the remote model, not 0\.2"
    with pytest.raises(RecordsError, match=said):
        calibrate(paths, risk=0.5, local_scorer="in_context", remote_scorer="in_context")
    with pytest.raises(RecordsError, match=said):
        fit_scorer(paths, role="remote")
    assert len(read_features(paths, "local")) == 80  # of the local model the settings are the same


def test_a_calibration_is_for_models_that_are_asked_as_they_were(collected, tmp_path):
    (out, local, remote), (others, _, other) = collected.values()
    made = calibrate(out, risk=0.5, confidence=None, local_scorer="in_context", remote_scorer="in_context")
    made.save(tmp_path / "made.json")
    assert (made.local.asked, made.remote.asked) == ({}, {"temperature": 0.1})
    for calibration in (made, tmp_path / "made.json"):
        TwoSupervisorChain.from_calibration(calibration, local=local, remote=remote)
        with pytest.raises(CalibrationMismatchError, match=r"made for temperature=0\.1 of the remote model, not 0\.2"):
            TwoSupervisorChain.from_calibration(calibration, local=local, remote=other)
        with pytest.raises(CalibrationMismatchError, match=r"temperature=0\.1 of the remote model, not 'the default'"):
            TwoSupervisorChain.from_calibration(calibration, local=local, remote=ScriptedAnswerer(script={}))
    with pytest.raises(CalibrationMismatchError, match="remote supervisor was calibrated for temperature"):
        check(made, others)


def test_how_a_model_is_run_is_no_setting():
    assert settings_of(ExtractiveReader(num_threads=1)) == settings_of(ExtractiveReader()) == {}


def test_settings_are_the_same_in_another_process_and_hold_no_key():
    pytest.importorskip("langchain_openai")
    from langchain_openai import ChatOpenAI

    model = ChatOpenAI(model="m", api_key="correct horse battery", temperature=0.3, logprobs=True)
    assert settings_of(ChatAnswerer(model)) == {"temperature": 0.3, "logprobs": True}
    named = ChatAnswerer("openai:m", model_kwargs={"temperature": 0.3, "logprobs": True, "api_key": "correct horse"})
    assert settings_of(named) == {"temperature": 0.3, "logprobs": True}
