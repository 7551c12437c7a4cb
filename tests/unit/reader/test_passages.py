"""The same passage several times, and special tokens in what users write."""

from __future__ import annotations

import pytest
from langchain_core.documents import Document

from twosup_chain import ExtractiveReader

READER = ExtractiveReader()
PASSAGE = "The lighthouse was finished in 1874. It was designed by Ellen Marsh, and its last keeper left in 1988."
OTHER = "The harbour was deepened in 1902, and the old quay was sold to the railway."
QUESTION = "Who designed the lighthouse?"
SPECIAL = ("[SEP]", "[CLS]", "[PAD]", "[MASK]", "[UNK]")


def scores(context: object) -> dict[str, float]:
    answer = READER.invoke({"question": QUESTION, "context": context})
    backed = READER.score(QUESTION, context, "Ellen Marsh")
    return {**answer.scores, "backed": backed.probability, "conditional": backed.conditional}


@pytest.mark.parametrize("count", [2, 5, 20])
@pytest.mark.parametrize("others", [[], [OTHER]])
def test_a_passage_that_was_found_several_times_is_worth_as_much_as_once(count, others):
    assert scores([PASSAGE] * count + others) == scores([PASSAGE, *others])
    answer = READER.invoke({"question": QUESTION, "context": [PASSAGE] * count + others})
    assert (answer.text, answer.document) == ("Ellen Marsh", 0)


@pytest.mark.parametrize(
    "copy",
    [
        Document(page_content=PASSAGE),
        f"{PASSAGE}\n",
        f"  {PASSAGE}",
        PASSAGE.replace(". ", ".\n"),
        PASSAGE.replace(" ", "\u00a0"),
    ],
    ids=["a document", "a line end", "an indent", "wrapped", "odd spaces"],
)
def test_copies_with_other_white_space_are_copies(copy):
    assert scores([PASSAGE, OTHER, copy]) == scores([PASSAGE, OTHER])


def test_another_passage_that_says_the_same_is_no_copy():
    assert scores([PASSAGE, PASSAGE.replace("last", "first")]) != scores([PASSAGE])


@pytest.mark.parametrize("token", SPECIAL)
def test_a_special_token_in_a_text_is_text(token):
    answer = READER.invoke({"question": "What is the mark called?", "context": f"The mark is called {token}."})
    assert answer.text == token.strip("[]")
    engine = READER.engine
    (tokens,) = engine.tokenize([f"{token} and {token.lower()}"])
    assert not {engine._special(other) for other in SPECIAL} & set(tokens.ids.tolist())
    assert (tokens.starts[0], tokens.ends[-1]) == (0, 2 * len(token) + 5)


@pytest.mark.parametrize("token", SPECIAL)
@pytest.mark.parametrize("where", ["before", "after", "in the question"])
def test_sixty_special_tokens_change_no_answer(token, where):
    many = f"{token} " * 60
    asked = {
        "before": (QUESTION, many + PASSAGE),
        "after": (QUESTION, f"{PASSAGE} {many}"),
        "in the question": (f"{token} {QUESTION}", PASSAGE),
    }
    question, context = asked[where]
    assert READER.invoke({"question": question, "context": context}).text == "Ellen Marsh"


def test_an_unanswerable_question_stays_so_among_special_tokens():
    question = "Who owned the railway before the war?"
    assert READER.invoke({"question": question, "context": PASSAGE}).text is None
    assert READER.invoke({"question": question, "context": "[PAD] " * 60 + PASSAGE}).text is None


def test_heads_that_are_read_beside_a_tables_values_are_no_part_of_an_answer():
    table = "Category | Summer | Winter\nAdult | £8.40 | £6.20\nBicycle | £2.00 | £1.50"
    answer = ExtractiveReader().invoke({"question": "What does a bicycle cost in winter?", "context": table})
    assert answer.text == "£1.50"
    assert all(table[c.start : c.end] == c.text for c in answer.candidates)
