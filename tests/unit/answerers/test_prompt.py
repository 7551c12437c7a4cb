"""The prompt of language models, and the reading of their replies."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosup_chain.answerers.no_answer import NO_ANSWER
from twosup_chain.answerers.prompt import EXAMPLES, INSTRUCTIONS, PromptExample, parse_reply, qa_messages
from twosup_chain.errors import EmptyAnswerError, InputError


def test_the_default_prompt_offers_the_no_answer_reply_and_shows_both_outcomes() -> None:
    messages = qa_messages("Who?", ["A passage."])
    assert messages[0] == {"role": "system", "content": INSTRUCTIONS}
    assert f'"{NO_ANSWER}"' in INSTRUCTIONS
    replies = [message["content"] for message in messages if message["role"] == "assistant"]
    assert NO_ANSWER in replies
    assert set(replies) != {NO_ANSWER}


@pytest.mark.parametrize("passages", [["A passage."], None])
def test_roles_alternate_after_the_system_message_and_end_with_the_user(passages: list[str] | None) -> None:
    roles = [message["role"] for message in qa_messages("Who?", passages)][1:]
    assert roles[0::2] == ["user"] * (len(roles) // 2 + 1)
    assert roles[1::2] == ["assistant"] * (len(roles) // 2)


def test_the_passages_stand_in_order_before_the_question_with_blank_lines_between() -> None:
    content = qa_messages("Who sings?", ["First one.", "Second one."])[-1]["content"]
    assert "First one.\n\nSecond one." in content
    assert content.index("Second one.") < content.index("Who sings?")


def test_without_a_passage_only_examples_without_a_passage_are_shown() -> None:
    examples = [PromptExample(question="Q1", answer="A1", passage="P1"), PromptExample(question="Q2", answer="A2")]
    with_passage = qa_messages("Who?", ["Text."], examples=examples)
    without = qa_messages("Who?", None, examples=examples)
    assert [m["content"] for m in with_passage if m["role"] == "assistant"] == ["A1"]
    assert [m["content"] for m in without if m["role"] == "assistant"] == ["A2"]
    assert "Passage" not in without[-1]["content"]


def test_instructions_and_examples_can_be_replaced_or_left_out() -> None:
    assert qa_messages("Who?", ["Text."], "Be terse.", ())[0]["content"] == "Be terse."
    (only,) = qa_messages("Who?", ["Text."], "", ())
    assert only["role"] == "user"


def test_two_questions_on_one_passage_share_everything_up_to_the_question() -> None:
    *head, last = qa_messages("Who sings?", ["Text."])
    *other_head, other_last = qa_messages("Where?", ["Text."])
    assert head == other_head
    assert last["content"].removesuffix("Who sings?") == other_last["content"].removesuffix("Where?")


def test_every_default_example_with_an_answer_copies_it_from_its_passage() -> None:
    for example in EXAMPLES:
        if example.answer is not None and example.passage is not None:
            assert example.answer in example.passage


def test_an_example_of_the_wrong_type_is_refused_by_name() -> None:
    with pytest.raises(InputError, match="question"):
        PromptExample(question=3, answer="x")


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        ("Paris", "Paris"),
        (" Paris\n", "Paris"),
        ("Paris.", "Paris"),
        ('"Paris."', "Paris"),
        ('"Paris".', "Paris"),
        ("“Paris”", "Paris"),
        ("**Paris**", "Paris"),
        ("`Paris`", "Paris"),
        ("Paris<|im_end|>", "Paris"),
        ("Paris</s>", "Paris"),
        ("Paris<end_of_turn>\n", "Paris"),
        ("Answer: Paris", "Paris"),
        ("The answer is: Paris.", "Paris"),
        ("3.5.", "3.5"),
        ("42", "42"),
        ("Washington D.C.", "Washington D.C."),
        ("at 5 a.m.", "at 5 a.m."),
        ("Apple Inc.", "Apple Inc."),
        ("Henry F.", "Henry F."),
        ("and so on...", "and so on..."),
        ("'tis", "'tis"),
        ('"yes" and "no"', '"yes" and "no"'),
        ("(a) and (b)", "(a) and (b)"),
        ("No.", "No"),
        ("none", "none"),
        ("unknown", "unknown"),
        ("unanswerable questions", "unanswerable questions"),
        ("an unanswerable argument", "an unanswerable argument"),
        ("the question of whether it is unanswerable", "the question of whether it is unanswerable"),
        ("الإجابة", "الإجابة"),
    ],
)
def test_a_reply_is_stripped_down_to_the_answer(reply: str, answer: str) -> None:
    assert parse_reply(reply) == answer


@pytest.mark.parametrize(
    "reply",
    [
        "unanswerable",
        "Unanswerable.",
        " UNANSWERABLE\n",
        '"unanswerable"',
        "[unanswerable]",
        "**Unanswerable**",
        "Answer: unanswerable<|im_end|>",
        "The question is unanswerable",
        "This is unanswerable based on the passage.",
        "Unanswerable, because the passage is about something else.",
        "Unanswerable\n\nThe passage is about something else.",
        "unanswerable (no date is given)",
        "Not answerable.",
        "It cannot be answered from the passage.",
        "The question can’t be answered.",
        "cannot be determined",
        "The passage does not mention it.",
        "The provided text doesn't say who did.",
        "not mentioned in the passage",
        "I don't know.",
        "No answer",
    ],
)
def test_a_reply_that_says_there_is_no_answer_is_none(reply: str) -> None:
    assert parse_reply(reply) is None


@pytest.mark.parametrize("reply", ["", "  \n", '""', "<|im_end|>", "."])
def test_a_reply_without_text_is_an_error_and_no_answer_of_either_kind(reply: str) -> None:
    with pytest.raises(EmptyAnswerError, match="no text"):
        parse_reply(reply)


@given(st.text(max_size=60))
def test_reading_a_reply_twice_gives_what_reading_it_once_gave(reply: str) -> None:
    try:
        answer = parse_reply(reply)
    except EmptyAnswerError:
        return
    if answer is not None:
        assert answer == answer.strip()
        assert parse_reply(answer) == answer
