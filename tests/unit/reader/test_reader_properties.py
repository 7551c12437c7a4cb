"""What holds for `ExtractiveReader` whatever the texts: property tests on engines whose logits are drawn.

`ToyEngine` has words for tokens; `UnicodeEngine` has the packaged tokenizer, whose offsets must be true in any script.
"""

from __future__ import annotations

import math
import random
import re
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twosup_chain import ExtractiveReader
from twosup_chain.reader.engine import Logits, ModelInput, ReaderEngine, Tokens
from twosup_chain.reader.folder import PACKAGED_MODEL, ReaderConfig


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
    sizes = {"max_length": 64, "stride": 12, "max_answer_tokens": 10}
    return ExtractiveReader(**{"engine": ToyEngine(), **sizes, **options})


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
@given(st.lists(st.lists(words, max_size=70).map(" ".join), max_size=3), st.integers(0, 99))
def test_probabilities_of_all_spans_of_all_windows_and_documents_and_null_sum_to_one(context, seed):
    reader = toy(no_answer_below=0.0, engine=ToyEngine(seed), top_k=1)
    answer = reader.invoke({"question": "who?", "context": context})
    odds = [value for document in dict.fromkeys(context) for value in every_span(ToyEngine(seed), document)]
    null = 1 / (1 + math.fsum(map(math.exp, odds)))
    assert answer.scores["null_probability"] == pytest.approx(null)
    assert answer.scores["span_probability"] == pytest.approx(math.exp(max(odds)) * null if odds else 0.0)
    assert math.fsum([null, *(math.exp(value) * null for value in odds)]) == pytest.approx(1.0)
    if len(odds) > 1:
        shares = [null, *(math.exp(value) * null for value in odds)]
        entropy = -math.fsum(p * math.log(p) for p in shares) / math.log(len(shares))
        assert answer.scores["entropy"] == pytest.approx(entropy, abs=1e-6)


def every_span(engine, document):
    """The log-odds of every span of up to ten tokens, one by one."""
    tokens = engine.tokenize([document])[0]
    if not len(tokens.ids):
        return []
    null, (logits,) = sum(draw(engine.seed, "[CLS]")), engine.logits([ModelInput(tokens.ids, tokens.ids)])
    return [
        logits.start[i] + logits.end[j] - null
        for i in range(len(tokens.ids))
        for j in range(i, min(i + 10, len(tokens.ids)))
    ]


class UnicodeEngine(ReaderEngine):
    """The packaged tokenizer with logits drawn from the token ids; the model itself is never run."""

    def __init__(self):
        super().__init__(PACKAGED_MODEL)

    def logits(self, inputs):
        for item in inputs:
            yield Logits(np.sin(item.ids * 1.7) * 4, np.cos(item.ids * 2.3) * 4)


UNICODE = ExtractiveReader(
    engine=UnicodeEngine(), max_length=96, stride=24, max_answer_tokens=12, no_answer_below=0.0, top_k=8
)
#: What tokenizers stumble over: characters that combine, join, turn round, are invisible, lie beyond the basic plane,
#: grow or shrink in lower case, or are half of a pair.
AWKWARD = (
    "e\u0301\u0327\u200d\u200b\ufe0f\u202e\u00ad\u0130\u00df\ufb01\u0e33\u3000\x00\x1f\ufffd😀👩🏽𝔘字\ud83d\ude00\ud800"
)
characters = st.one_of(st.sampled_from(AWKWARD), st.sampled_from("ab Z.,'\"()-9 "), st.characters())
scripts = st.text(characters, max_size=60)


@settings(max_examples=100)
@given(st.one_of(scripts, st.lists(scripts, max_size=3)))
def test_offsets_are_true_in_any_script_with_the_packaged_tokenizer(context):
    answer = UNICODE.invoke({"question": "who?", "context": context})
    documents = [context] if isinstance(context, str) else context
    for span in answer.candidates:
        assert span.text == without_lone_surrogates(documents[span.document])[span.start : span.end] != ""
    if answer.text is not None:
        assert answer.text == without_lone_surrogates(documents[answer.document])[answer.start : answer.end]


def without_lone_surrogates(text):
    """What the reader makes of a text that no encoder takes: one character for one, so that offsets stay true."""
    return re.sub("[\ud800-\udfff]", "\ufffd", text)


@settings(deadline=None)
@given(st.lists(scripts, max_size=3), st.randoms())
def test_the_order_of_documents_does_not_matter_in_any_script(context, rng):
    shuffled = context[:]
    rng.shuffle(shuffled)
    first, second = (UNICODE.invoke({"question": "who?", "context": c}) for c in (context, shuffled))
    assert first.text == second.text
    assert [c.text for c in first.candidates] == [c.text for c in second.candidates]
    assert first.scores == pytest.approx(second.scores)


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
    passages = ["alpha " * count for count in range(1, 51)]
    one, many = (toy().invoke({"question": "who?", "context": passages[:n]}).scores for n in (1, 50))
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
