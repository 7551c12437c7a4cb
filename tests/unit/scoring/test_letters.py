"""Words, numbers and letters as real use brings them: what a scorer, a feature and a citation make of each."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosup_chain import Answer, ExtractiveReader, QAInput
from twosup_chain.answerers.consistency import SelfConsistent
from twosup_chain.scoring.comparison import agreement, in_context
from twosup_chain.scoring.features import features
from twosup_chain.scoring.grounded import Grounded, backed
from twosup_chain.scoring.wording import wording_features
from twosup_chain.text.citation import MOST, citations

BRIDGE = ("The town paid $15 million for the new bridge in 1987.", "How much did the town pay for the bridge?")
DRUG = ("The children were given 25 mg of the drug every morning.", "How much of the drug were the children given?")
WINTER = ("The lowest temperature that winter was -5 degrees.", "What was the lowest temperature?")
ORANGES = ("Oranges are a rich source of vitamin C.", "Which vitamin are oranges a rich source of?")
STATION = ("The station was designed by Kevin O’Brien.", "Who designed the station?")
STRIKE = ("The strike lasted from 12–19 January.", "When was the strike?")
LIGHTHOUSE = ("It was a lighthouse built in 1874.", "What was it?")

WRONG = [(BRIDGE, "$1.5 million"), (DRUG, "2.5 mg"), (WINTER, "5 degrees"), (ORANGES, "vitamin A")]
RIGHT = [
    (BRIDGE, "$15 million", "$15 million"),
    (BRIDGE, "15 million dollars", "$15 million"),
    (DRUG, "25 milligrams", "25 mg"),
    (WINTER, "-5 degrees", "-5 degrees"),
    (WINTER, "minus 5 degrees", "-5 degrees"),
    (ORANGES, "vitamin C", "vitamin C"),
    (STATION, "Kevin O'Brien", "Kevin O’Brien"),
    (STRIKE, "12-19 January", "12–19 January"),
    (LIGHTHOUSE, "the lighthouse", "lighthouse"),
]


@pytest.fixture(scope="module")
def reader():
    return ExtractiveReader()


def _question(row):
    return QAInput(question=row[1], context=row[0])


@pytest.mark.parametrize(("row", "text"), WRONG)
def test_an_answer_that_only_looks_alike_is_not_in_the_context_not_cited_and_not_backed(reader, row, text):
    question, answer = _question(row), Answer(text)
    (reading,) = reader.answer_many([question])
    assert in_context(question, answer) == 0.0
    assert citations(question, answer, reading.candidates) == ()
    assert Grounded(reader)(question, answer) < 0.5
    assert backed(question, answer, local=reading) < 0.5
    assert agreement(question, answer, local=reading) == 0.0
    found = features(question, answer, local=reading)
    assert (found["in_context"], found["agreement"], found["support"], found["top_f1"]) == (0.0, 0.0, 0.0, 0.0)
    assert reader.score(question.question, question.context, text).probability == 0.0


@pytest.mark.parametrize(("row", "text", "quoted"), RIGHT)
def test_an_answer_in_other_letters_is_in_the_context_cited_and_backed(reader, row, text, quoted):
    question, answer = _question(row), Answer(text)
    (reading,) = reader.answer_many([question])
    assert in_context(question, answer) == features(question, answer)["in_context"] == 1.0
    assert [cited.text for cited in citations(question, answer)] == [quoted]
    assert Grounded(reader)(question, answer) > 0.5
    assert features(question, answer, local=reading)["top_f1"] >= 2 / 3  # the reader may quote a word more
    assert agreement(question, answer, local=Answer(quoted)) == 1.0


@pytest.mark.parametrize("cut", ["5 degrees", "-5 degrees"])
def test_a_span_that_cuts_through_a_number_is_cited_with_the_whole_number(cut):
    passage = WINTER[0]
    start = passage.index(cut)
    (cited,) = citations(_question(WINTER), Answer(cut, start=start, end=start + len(cut), document=0))
    assert (cited.text, passage[cited.start : cited.end]) == ("-5 degrees", "-5 degrees")


def test_the_reader_quotes_whole_numbers(reader):
    passages = [row[0] for row in (BRIDGE, DRUG, WINTER)]
    for answer in reader.answer_many([QAInput(question="What was it?", context=passage) for passage in passages]):
        texts = [candidate.text for candidate in answer.candidates]
        assert not any(text in ("5", "5 degrees", "15", "$15") for text in texts)


@given(st.lists(st.text(max_size=30), max_size=3), st.none() | st.text(max_size=12))
def test_scorer_and_feature_of_the_same_name_have_the_same_value_and_what_is_cited_is_in_the_context(passages, text):
    question, answer = QAInput(question="Q?", context=passages), Answer(text)
    score = in_context(question, answer)
    if text is None:
        assert score == 1.0
        return
    assert wording_features("Q?", passages, text)["in_context"] == score
    assert bool(citations(question, answer)) == bool(score)


@pytest.mark.parametrize(
    ("samples", "chosen", "share"),
    [
        (["$15 million", "$1.5 million", "$1.5 million"], "$1.5 million", 0.5),
        (["Kevin O’Brien", "kevin o'brien", "Kevin O'Brien"], "Kevin O’Brien", 1.0),
        (["vitamin A", "vitamin C", "vitamin C"], "vitamin C", 0.5),
        (["12–19 January", "12-19 January", "19 January"], "12–19 January", 0.9),
    ],
)
def test_self_consistency_counts_samples_that_say_the_same(samples, chosen, share):
    replies = iter(samples)
    answer = SelfConsistent(lambda _: Answer(next(replies)), samples=3).invoke({"question": "Q?", "context": "P."})
    assert answer.text == chosen
    assert answer.scores["self_consistency"] == pytest.approx(share)


def test_citations_are_capped():
    question = QAInput(question="Who?", context="Ada " * 40_000)
    assert len(citations(question, Answer("Ada"))) == MOST
