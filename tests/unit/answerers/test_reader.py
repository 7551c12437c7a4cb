"""`ExtractiveReader`: property tests on a toy engine, behaviour on the packaged model."""

from __future__ import annotations

import pickle
import random
import re
import threading
import time
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.documents import Document
from langchain_core.runnables import ConfigurableField

from twosup_chain import ExtractiveReader, QAInput
from twosup_chain.answerers import _engine
from twosup_chain.answerers._engine import Logits, ModelInput, ReaderEngine, Tokens
from twosup_chain.answerers._reader_folder import PACKAGED_MODEL, ReaderConfig
from twosup_chain.errors import ConfigurationError, InputError, ModelFileError, UnknownOptionError

NORMANS = (
    "The Normans gave their name to Normandy, a region in France. They were descended from Norse raiders and pirates "
    "from Denmark, Iceland and Norway who swore fealty to King Charles III of West Francia."
)
COUNTRY = "In what country is Normandy located?"


@cache
def draw(seed, word):
    chance = random.Random(f"{seed} {word}")  # noqa: S311  logits, no secrets
    return chance.uniform(-4, 4), chance.uniform(-4, 4)


class ToyEngine(ReaderEngine):
    """Tokens are words and signs; logits are drawn from a seed and the word alone, so that windows must not matter."""

    def __init__(self, seed=0, max_batch_tokens=16_384):
        super().__init__(PACKAGED_MODEL, None, (), max_batch_tokens)
        self.seed = seed
        self.words = {"[CLS]": 0, "[SEP]": 1}

    @property
    def config(self):
        return ReaderConfig("toy", "0" * 64, 512, stackable=True, calibration={"null_margin": 0.5, "intercept": 0.25})

    cls_id, sep_id = 0, 1

    def tokenize(self, texts):
        return [self._tokens(text) for text in texts]

    def word(self, token_id):
        return list(self.words)[token_id]

    def logits(self, inputs):
        table = np.array([draw(self.seed, word) for word in self.words])
        for item in inputs:
            start, end = table[item.ids].T
            yield Logits(start, end)

    def _tokens(self, text):
        found = list(re.finditer(r"\w+|[^\w\s]", text))
        ids = [self.words.setdefault(match[0].casefold(), len(self.words)) for match in found]
        word = np.ones(len(found), bool)
        spans = np.array([match.span() for match in found], np.int64).reshape(-1, 2)
        return Tokens(np.array(ids, np.int64), spans[:, 0], spans[:, 1], word, word)


def toy(**options):
    return ExtractiveReader(engine=ToyEngine(), **{"max_length": 64, "stride": 12, "max_answer_tokens": 10, **options})


@pytest.fixture(scope="module")
def reader():
    return ExtractiveReader()


words = st.sampled_from(
    ["alpha", "beta", "Gamma", "delta's", "שלום", "e\u0301t\u0301e", "😀", "字", '"x"', "(y)", ",", "1858."]
)
passages = st.lists(words, max_size=150).map(" ".join)
contexts = st.lists(passages, max_size=4)


@settings(deadline=None)
@given(contexts)
def test_offsets_slice_to_the_answer_and_to_every_candidate(context):
    answer = toy(no_answer_below=0.0).invoke({"question": "who?", "context": context})
    for span in answer.candidates:
        assert context[span.document][span.start : span.end] == span.text
    if answer.candidates:
        assert answer.text == context[answer.document][answer.start : answer.end]
    else:
        assert answer.text is None


@settings(deadline=None)
@given(contexts, st.randoms())
def test_the_order_of_documents_does_not_matter(context, rng):
    shuffled = context[:]
    rng.shuffle(shuffled)
    first, second = (toy().invoke({"question": "who?", "context": c}) for c in (context, shuffled))
    assert (first.text, [c.text for c in first.candidates]) == (second.text, [c.text for c in second.candidates])
    assert first.scores == pytest.approx(second.scores)


@settings(deadline=None)
@given(st.lists(words, min_size=1, max_size=120).map(" ".join))
def test_windows_do_not_change_the_odds_of_context_free_logits(passage):
    question = {"question": "who?", "context": passage}
    windowed, whole = (toy(max_length=n, no_answer_below=0).invoke(question) for n in (64, 512))
    for name in ("span_probability", "null_probability", "null_margin", "runner_up_margin", "entropy"):
        assert windowed.scores[name] == pytest.approx(whole.scores[name])
    assert windowed.text == whole.text


@settings(deadline=None)
@given(contexts, st.sampled_from(["alpha", "beta gamma", "Alpha, beta", "nowhere"]))
def test_candidates_are_distinct_ordered_and_share_one_with_null(context, target):
    answer = toy(top_k=8).invoke({"question": "who?", "context": context})
    odds = [c.probability for c in answer.candidates]
    assert odds == sorted(odds, reverse=True)
    assert sum(odds) + answer.scores["null_probability"] <= 1 + 1e-9
    assert len({c.text.casefold() for c in answer.candidates}) == len(odds) <= 8
    for i, one in enumerate(answer.candidates):
        for other in answer.candidates[:i]:
            assert one.document != other.document or one.end <= other.start or other.end <= one.start
    for name in ("answerability", "span_probability", "null_probability", "entropy"):
        assert 0 <= answer.scores[name] <= 1
    score = toy().score("who?", context, target)
    assert 0 <= score.probability <= score.conditional <= 1
    assert score.answerability == answer.scores["answerability"]


@settings(deadline=None)
@given(st.lists(words, min_size=1, max_size=100))
def test_an_answer_that_does_not_occur_scores_zero_and_the_whole_passage_at_most_what_is_not_null(parts):
    passage = " ".join(parts)
    reader = toy()
    assert reader.score("who?", passage, "nowhere").probability == 0.0
    null = reader.invoke({"question": "who?", "context": passage}).scores["null_probability"]
    assert reader.score("who?", passage, "alpha").probability <= 1 - null + 1e-9


def test_many_documents_without_an_answer_do_not_add_up_to_one():
    one, many = (toy().invoke({"question": "who?", "context": ["alpha beta"] * n}).scores for n in (1, 50))
    assert many["answerability"] == one["answerability"]
    assert many["null_probability"] < one["null_probability"]


def test_a_passage_of_fifty_thousand_words_is_read_to_its_end():
    passage = "lorem ipsum dolor " * 16_666 + "needle"
    reader = toy(max_length=384, stride=128, no_answer_below=0.0)
    reader.engine.seed = next(seed for seed in range(999) if _prefers(ToyEngine(seed), "needle"))
    answer = reader.invoke({"question": "who?", "context": passage})
    assert (answer.text, answer.end) == ("needle", len(passage))


def _prefers(engine, word):
    tokens = engine.tokenize(["lorem ipsum dolor needle"])[0]
    (logits,) = engine.logits([ModelInput(tokens.ids, tokens.ids)])
    return logits.start.argmax() == logits.end.argmax() == len(logits.start) - 1


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
        for i in range(12)
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
    assert re.fullmatch(r"twosup-reader@[0-9a-f]{12}", answer.model)
    assert 0 < answer.seconds < 60
    assert answer.usage is None


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


@pytest.mark.parametrize("name", ["reader.onnx", "tokenizer.json", "config.json"])
@pytest.mark.parametrize("content", [None, b"", b"{}", b"\x00garbage"])
def test_a_missing_or_broken_model_file_is_named(folder, name, content):
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)
    reader = ExtractiveReader(model_path=folder)
    with pytest.raises(ModelFileError, match=re.escape(str(folder / name))):
        reader.invoke({"question": COUNTRY, "context": NORMANS})


def test_a_config_of_another_version_or_with_an_unknown_feature_is_refused(folder):
    path = folder / "config.json"
    text = path.read_text()
    path.unlink()
    path.write_text(text.replace('"format": 1', '"format": 2'))
    with pytest.raises(ModelFileError, match="has format 2, this version reads 1"):
        ExtractiveReader(model_path=folder).invoke({"question": COUNTRY, "context": NORMANS})
    path.write_text(text.replace('"null_margin"', '"charm"'))
    with pytest.raises(ModelFileError, match="needs the feature 'charm'"):
        ExtractiveReader(model_path=folder).invoke({"question": COUNTRY, "context": NORMANS})


def test_the_model_is_loaded_lazily_once_and_survives_reconfiguration():
    reader = ExtractiveReader()
    assert reader.engine._loaded is None
    configurable = reader.configurable_fields(no_answer_below=ConfigurableField(id="below"))
    question = {"question": "Who was president of Brazil in 1950?", "context": NORMANS}
    assert configurable.invoke(question).text is None
    loaded = reader.engine._loaded
    assert loaded is not None
    assert configurable.with_config(configurable={"below": 0.0}).invoke(question).text is not None
    assert reader.engine._loaded is loaded
    rebuilt = ExtractiveReader(**{**reader.__dict__, "top_k": 1})
    assert rebuilt.engine is reader.engine
    assert ExtractiveReader(**{**reader.__dict__, "num_threads": 1}).engine is not reader.engine
    assert "engine" not in repr(reader)
    assert "engine" not in reader.model_dump()


def test_copies_load_again_and_answer_the_same(reader):
    copy = pickle.loads(pickle.dumps(reader))  # noqa: S301
    question = {"question": COUNTRY, "context": NORMANS}
    assert copy.engine._loaded is None
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
