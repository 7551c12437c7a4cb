"""`ExtractiveReader` with the packaged model. What holds whatever the texts is in `test_reader_properties`."""

from __future__ import annotations

import importlib
import json
import pickle
import re
import threading
import time

import numpy as np
import pytest
from langchain_core.documents import Document
from langchain_core.runnables import ConfigurableField

from twosup_chain import ExtractiveReader, QAInput
from twosup_chain.errors import ConfigurationError, InputError, MissingExtraError, ModelFileError, UnknownOptionError
from twosup_chain.reader import engine as _engine
from twosup_chain.reader import folder as _folder
from twosup_chain.reader.engine import ModelInput
from twosup_chain.reader.folder import PACKAGED_MODEL

NORMANS = (
    "The Normans gave their name to Normandy, a region in France. They were descended from Norse raiders and pirates "
    "from Denmark, Iceland and Norway who swore fealty to King Charles III of West Francia."
)
COUNTRY = "In what country is Normandy located?"


@pytest.fixture(scope="module")
def reader():
    return ExtractiveReader()


def test_a_batch_gives_what_single_questions_give(reader):
    inputs = [
        {"question": COUNTRY, "context": NORMANS},
        {"question": "Who was president of Brazil in 1950?", "context": NORMANS},
        {"question": COUNTRY, "context": ["Paris is large.", NORMANS]},
        {"question": "Who swore fealty?", "context": [Document(NORMANS)]},
        {"question": COUNTRY, "context": []},
    ]
    together = reader.batch(inputs)
    alone = [reader.invoke(item) for item in inputs]
    assert [a.model_copy(update={"seconds": None}) for a in together] == [
        a.model_copy(update={"seconds": None}) for a in alone
    ]


def test_many_windows_are_read_side_by_side_and_give_bit_for_bit_what_one_thread_gives(reader):
    inputs = [
        {"question": COUNTRY, "context": [NORMANS[: 40 + 7 * i], NORMANS] + ["Paris is large."] * (i % 3)}
        for i in range(6)
    ]
    both = ExtractiveReader(num_threads=2)
    together = both.batch(inputs)
    assert both.engine._single is not None
    alone = [ExtractiveReader(num_threads=1, engine=reader.engine).invoke(item) for item in inputs]
    assert [(a.scores, a.candidates) for a in together] == [(a.scores, a.candidates) for a in alone]


def test_windows_read_side_by_side_stay_in_order_and_few_are_held():
    taken = []

    def inputs():
        for i in range(100):
            taken.append(i)
            yield ModelInput(np.full(3, i), np.zeros(3, np.int64))

    class Session:
        def run(self, _names, feed):
            time.sleep(0.002 * (feed["input_ids"][0, 0] % 3))
            return feed["input_ids"].astype(np.float32), feed["token_type_ids"].astype(np.float32)

    for i, logits in enumerate(_engine._run_side_by_side(Session(), inputs(), 3)):
        assert logits.start[0] == i
        assert len(taken) <= i + 1 + 2 * 3


def test_it_answers_with_place_evidence_model_and_time(reader):
    answer = reader.invoke({"question": COUNTRY, "context": ["Paris is large.", NORMANS]})
    assert (answer.text, answer.document) == ("France", 1)
    assert NORMANS[answer.start : answer.end] == "France"
    assert answer.candidates[0].probability == answer.scores["span_probability"] > 0.5
    assert answer.scores["answerability"] > 0.5
    assert re.fullmatch(r"twosup-reader-small@[0-9a-f]{12}", answer.model)
    assert 0 < answer.seconds < 60
    assert answer.usage is None


def test_the_packaged_answerability_does_not_rise_with_the_number_of_passages(reader):
    passages = [f"{NORMANS} {number}" for number in range(5)]
    one, many = (reader.invoke({"question": COUNTRY, "context": passages[:n]}).scores for n in (1, 5))
    assert many["answerability"] == pytest.approx(one["answerability"], abs=0.02)
    assert many["span_probability"] < one["span_probability"]


def test_it_says_none_but_keeps_candidates_where_the_passage_holds_no_answer(reader):
    answer = reader.invoke({"question": "Who was president of Brazil in 1950?", "context": NORMANS})
    assert (answer.text, answer.start, answer.document) == (None, None, None)
    assert answer.scores["answerability"] < 0.5
    assert answer.candidates
    forced = ExtractiveReader(no_answer_below=0.0, engine=reader.engine).invoke(
        {"question": "Who was president of Brazil in 1950?", "context": NORMANS}
    )
    assert forced.text == answer.candidates[0].text


@pytest.mark.parametrize("context", ["", "   \n", [], ["", " "], "\u200b", "\ufffd"])
def test_a_context_without_words_holds_no_answer(reader, context):
    answer = reader.invoke({"question": COUNTRY, "context": context})
    assert answer.text is None
    if not answer.candidates:
        assert answer.scores == {
            "answerability": 0.0,
            "span_probability": 0.0,
            "null_probability": 1.0,
            "answer_log_odds": -100.0,
            "null_margin": -100.0,
            "runner_up_margin": 100.0,
            "entropy": 0.0,
        }
    assert reader.score(COUNTRY, context, "France").probability == 0.0


def test_no_context_at_all_is_an_input_error_in_its_own_slot(reader):
    with pytest.raises(InputError, match=r"context=None: the reader quotes .* pass one"):
        reader.invoke(COUNTRY)
    good, bad = reader.batch([{"question": COUNTRY, "context": NORMANS}, COUNTRY], return_exceptions=True)
    assert good.text == "France"
    assert isinstance(bad, InputError)


def test_a_question_that_leaves_no_room_for_the_passage_is_an_input_error(reader):
    with pytest.raises(InputError, match=r"has 400 tokens, the reader takes 321: shorten it, or raise max_length"):
        reader.invoke({"question": "why " * 400, "context": NORMANS})


@pytest.mark.parametrize(
    ("passage", "question", "wanted"),
    [
        ("😀👩‍👩‍👧 The capital of France is Paris, 🎉🎉.", "What is the capital of France?", "Paris"),
        (
            "\ufffd Cafe\u0301 Fluß opened in 1900. The capital of France is Paris.",
            "What is the capital of France?",
            "Paris",
        ),
        ("עיר הבירה. The capital of France is Paris. שלום", "What is the capital of France?", "Paris"),
    ],
)
def test_offsets_are_true_in_any_script(reader, passage, question, wanted):
    answer = reader.invoke({"question": question, "context": passage})
    assert answer.candidates[0].text == wanted
    for span in answer.candidates:
        assert passage[span.start : span.end] == span.text


def test_score_backs_the_answer_that_the_passage_gives_and_no_other(reader):
    scores = {
        text: reader.score(COUNTRY, NORMANS, text)
        for text in ("France", "the FRANCE!", "a region in France", "Norway", "Spain", "…")
    }
    assert scores["France"].probability > 0.5
    assert scores["the FRANCE!"] == scores["France"]
    assert scores["France"].probability > scores["a region in France"].probability > 0.1
    assert scores["Norway"].probability < 0.05
    assert scores["Spain"].probability == scores["…"].probability == 0.0
    assert scores["France"].conditional >= scores["France"].probability
    assert (
        scores["Spain"].answerability
        == reader.invoke({"question": COUNTRY, "context": NORMANS}).scores["answerability"]
    )


def test_score_many_keeps_errors_in_their_slots(reader):
    inputs = [
        QAInput(question=COUNTRY, context=NORMANS),
        QAInput(question=COUNTRY),
        QAInput(question=COUNTRY, context=[]),
    ]
    good, missing, empty = reader.score_many(inputs, ["France"] * 3)
    assert good == reader.score(COUNTRY, NORMANS, "France")
    assert isinstance(missing, InputError)
    assert (empty.probability, empty.conditional, empty.answerability) == (0.0, 0.0, 0.0)
    with pytest.raises(InputError, match="answer_text='  ' is blank"):
        reader.score(COUNTRY, NORMANS, "  ")
    with pytest.raises(InputError, match="has 1 entries for 3 inputs"):
        reader.score_many(inputs, ["France"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_answer_tokens": 200}, "raise stride"),
        ({"max_length": 64}, "leaves no room for a question"),
        ({"no_answer_below": 1.5}, "no_answer_below=1.5"),
        ({"top_k": 0}, "top_k=0"),
        ({"num_threads": 0}, "num_threads=0"),
        ({"max_batch_tokens": 1}, "max_batch_tokens=1"),
    ],
)
def test_an_option_out_of_range_is_a_configuration_error(options, message):
    with pytest.raises(ConfigurationError, match=message):
        ExtractiveReader(**options)


def test_options_that_do_not_fit_the_model_are_refused_on_first_use(reader):
    with pytest.raises(ConfigurationError, match=r"max_length=600 .* lower it to 512"):
        ExtractiveReader(max_length=600, engine=reader.engine).invoke({"question": COUNTRY, "context": NORMANS})
    with pytest.raises(ConfigurationError, match="SpaceExecutionProvider is not in this onnxruntime, which has"):
        ExtractiveReader(providers=["SpaceExecutionProvider"]).invoke({"question": COUNTRY, "context": NORMANS})
    with pytest.raises(UnknownOptionError, match="Did you mean 'max_length'"):
        ExtractiveReader(max_lenght=3)


@pytest.fixture
def folder(tmp_path):
    for file in PACKAGED_MODEL.iterdir():
        (tmp_path / file.name).symlink_to(file)
    return tmp_path


def test_a_model_is_small_base_or_a_path(reader, folder, monkeypatch):
    for options in ({}, {"model": "small"}, {"model": folder}, {"model": str(folder)}, {"model_path": folder}):
        assert ExtractiveReader(**options).label == reader.label
    monkeypatch.setattr(_folder, "_COMPANION", "a_companion")  # another name, since the true one may be installed
    monkeypatch.syspath_prepend(folder)
    with pytest.raises(MissingExtraError, match=r"pip install 'twosup-chain\[reader-base\]'"):
        ExtractiveReader(model="base")
    companion = folder / "a_companion"
    companion.mkdir()
    (companion / "__init__.py").touch()
    for file in PACKAGED_MODEL.iterdir():
        (companion / file.name).symlink_to(file)
    importlib.invalidate_caches()
    assert ExtractiveReader(model="base").engine.options[0] == companion
    assert ExtractiveReader(model="base").label == reader.label


@pytest.mark.parametrize("name", ["reader.onnx", "tokenizer.json", "config.json"])
@pytest.mark.parametrize("content", [None, b"", b"{}", b"\x00garbage"])
def test_a_missing_or_broken_model_file_is_named(folder, name, content):
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)
    reader = ExtractiveReader(model=folder)
    with pytest.raises(ModelFileError, match=re.escape(str(folder / name))):
        reader.invoke({"question": COUNTRY, "context": NORMANS})


@pytest.mark.parametrize("name", ["reader.onnx", "tokenizer.json"])
def test_an_altered_model_file_beside_an_unchanged_config_is_refused(folder, name):
    altered = (folder / name).read_bytes() + b"\n"
    (folder / name).unlink()
    (folder / name).write_bytes(altered)
    with pytest.raises(ModelFileError, match=f"{name} is not the file that config.json beside it was written for"):
        ExtractiveReader(model=folder).invoke({"question": COUNTRY, "context": NORMANS})


def test_a_config_from_before_the_tokenizer_s_digest_is_read(folder):
    path = folder / "config.json"
    values = json.loads(path.read_text())
    del values["tokenizer_digest"]
    path.unlink()
    path.write_text(json.dumps(values))
    old, new = ExtractiveReader(model=folder), ExtractiveReader()
    assert old.label == new.label


def test_a_config_of_another_version_or_with_an_unknown_feature_is_refused(folder):
    path = folder / "config.json"
    text = path.read_text()
    path.unlink()
    path.write_text(text.replace('"format": 1', '"format": 2'))
    with pytest.raises(ModelFileError, match="has format 2, this version reads 1"):
        ExtractiveReader(model=folder).invoke({"question": COUNTRY, "context": NORMANS})
    path.write_text(text.replace('"answer_log_odds"', '"charm"'))
    with pytest.raises(ModelFileError, match="needs the feature 'charm'"):
        ExtractiveReader(model=folder).invoke({"question": COUNTRY, "context": NORMANS})


def test_the_model_is_loaded_lazily_once_and_survives_reconfiguration():
    reader = ExtractiveReader()
    assert not reader.engine._loaded.there
    configurable = reader.configurable_fields(no_answer_below=ConfigurableField(id="below"))
    question = {"question": "Who was president of Brazil in 1950?", "context": NORMANS}
    assert configurable.invoke(question).text is None
    loaded = reader.engine._loaded.get()
    assert configurable.with_config(configurable={"below": 0.0}).invoke(question).text is not None
    assert reader.engine._loaded.get() is loaded
    rebuilt = ExtractiveReader(**{**reader.__dict__, "top_k": 1})
    assert rebuilt.engine is reader.engine
    assert ExtractiveReader(**{**reader.__dict__, "num_threads": 1}).engine is not reader.engine
    assert "engine" not in repr(reader)
    assert "engine" not in reader.model_dump()


def test_copies_load_again_and_answer_the_same(reader):
    copy = pickle.loads(pickle.dumps(reader))  # noqa: S301
    question = {"question": COUNTRY, "context": NORMANS}
    assert not copy.engine._loaded.there
    assert copy.invoke(question).candidates == reader.invoke(question).candidates


def test_threads_that_start_together_load_once_and_agree(monkeypatch):
    loads = []
    original = _engine._load
    monkeypatch.setattr(_engine, "_load", lambda *args: (loads.append(1), original(*args))[1])
    reader, found = ExtractiveReader(), []
    ask = lambda: found.append(reader.invoke({"question": COUNTRY, "context": NORMANS}).candidates)  # noqa: E731
    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(loads) == 1
    assert found == [found[0]] * 8


async def test_asynchronous_calls_give_the_same(reader):
    question = {"question": COUNTRY, "context": NORMANS}
    assert (await reader.ainvoke(question)).candidates == reader.invoke(question).candidates
    (answer,) = await reader.abatch([question])
    assert answer.text == "France"
