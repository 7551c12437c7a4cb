"""A question with options to a language model: the prompt, the label that a reply names, the probabilities of all."""

from __future__ import annotations

import math
from typing import Any

import pytest
from langchain_core.messages import AIMessage

from twosup_chain import ChatAnswerer, QAInput, TokenLogprob
from twosup_chain.answerers.choice import choice_messages, choice_question, label_probabilities, read_label
from twosup_chain.answerers.typed import need_text
from twosup_chain.errors import EmptyAnswerError, InputError, NotTextError
from twosup_chain.testing import ScriptedAnswerer

OPTIONS = {"bug": "A defect.", "feature": None, "feature request": None, "question": {"about": ["use"]}}
ASKED = QAInput(question="What is it?", context="It crashes.", options=OPTIONS)


def test_the_prompt_lists_the_options_with_what_is_known_of_them_and_ends_with_the_text() -> None:
    system, user = choice_messages(choice_question(ASKED), need_text(ASKED))
    assert "one of the labels" in system["content"]
    assert user["content"] == (
        'What is it?\nLabels:\n- bug: A defect.\n- feature\n- feature request\n- question: {"about": ["use"]}\n\n'
        "Text: It crashes.\n\nLabel:"
    )
    with pytest.raises(InputError, match="no text"):
        need_text(QAInput(question="What is it?", options=OPTIONS))


@pytest.mark.parametrize(
    ("reply", "label"),
    [
        ("bug", "bug"),
        (' **"Bug".** ', "bug"),
        ("Label: Feature", "feature"),
        ("This is a feature request, I think.", "feature request"),
        ("The answer is: question", "question"),
    ],
)
def test_a_reply_names_a_label_alone_or_in_a_sentence(reply, label) -> None:
    assert read_label(reply, OPTIONS) == label


def test_no_and_none_are_labels_where_they_are_options() -> None:
    assert read_label("No.", ["yes", "no"]) == "no"
    assert read_label("unanswerable", ["none", "unanswerable"]) == "unanswerable"


@pytest.mark.parametrize(
    ("reply", "error", "said"),
    [
        ("a bug or a question", NotTextError, "more than one of the options"),
        ("It debugs.", NotTextError, "none of the options"),
        (" ", EmptyAnswerError, "no text"),
    ],
)
def test_a_reply_that_names_none_or_several_is_no_answer(reply, error, said) -> None:
    with pytest.raises(error, match=said):
        read_label(reply, OPTIONS)


def token(text: str, p: float, **top: float) -> TokenLogprob:
    others = tuple((other.replace("_", " "), math.log(share)) for other, share in top.items())
    return TokenLogprob(token=text, logprob=math.log(p), top=((text, math.log(p)), *others))


def test_a_labels_probability_is_the_mass_of_the_tokens_that_go_on_to_it() -> None:
    found = label_probabilities([token("B", 0.6, question=0.3, f=0.08, The=0.02), token("ug", 0.99)], "bug", OPTIONS)
    masses = {"bug": 0.6, "question": 0.3, "feature": 0.04, "feature request": 0.04}
    assert found == pytest.approx({label: mass / 0.98 for label, mass in masses.items()})
    assert math.fsum(found.values()) == pytest.approx(1.0)


def test_a_label_that_begins_another_goes_on_to_the_token_that_tells_them_apart() -> None:
    tokens = [token("feature", 0.8, bug=0.1, question=0.1), token("", 1.0), token(" request", 0.75, **{"\n": 0.25})]
    found = label_probabilities(tokens, "feature request", OPTIONS)
    assert found == pytest.approx({"feature request": 0.6, "feature": 0.2, "bug": 0.1, "question": 0.1})


def test_what_the_alternatives_leave_over_is_divided_among_the_labels_that_none_begins() -> None:
    plain = [TokenLogprob(token=" bug", logprob=math.log(0.7))]
    found = label_probabilities(plain, "bug", OPTIONS)
    assert found["bug"] == pytest.approx(0.7)
    assert found["feature"] == found["question"] == pytest.approx(0.1)
    assert label_probabilities([token("It", 0.9, bug=0.1), token(" is bug", 0.9)], "bug", OPTIONS) == {}
    assert label_probabilities([TokenLogprob(token=None, logprob=-0.1)], "bug", OPTIONS) == {}


def reply(content: str, top: list[tuple[str, float]]) -> AIMessage:
    row = {"token": content, "logprob": math.log(top[0][1]), "bytes": None}
    row["top_logprobs"] = [{"token": text, "logprob": math.log(p)} for text, p in top]
    usage = {"input_tokens": 9, "output_tokens": 1, "total_tokens": 10}
    return AIMessage(content, response_metadata={"logprobs": {"content": [row]}}, usage_metadata=usage)


def test_a_chat_model_decides_with_the_probabilities_of_its_tokens() -> None:
    from langchain_core.language_models.fake_chat_models import GenericFakeChatModel

    said = reply("bug", [("bug", 0.9), ("question", 0.05), ("feature", 0.05)])
    answer = ChatAnswerer(GenericFakeChatModel(messages=iter([said]))).invoke(ASKED)
    assert (answer.text, answer.usage["total_tokens"]) == ("bug", 10)
    assert answer.probabilities["bug"] == pytest.approx(0.9)
    assert math.fsum(answer.probabilities.values()) == pytest.approx(1.0)


def test_an_answer_of_any_part_that_is_no_option_is_its_failure() -> None:
    from twosup_chain import Supervisor, TwoSupervisorChain

    script: dict[str, Any] = {"What is it?": "spam"}
    chain = TwoSupervisorChain(
        local=ScriptedAnswerer(script=script), local_supervisor=Supervisor("max_softmax", threshold=0.0, missing=1.0)
    )
    result = chain.invoke(ASKED)
    assert result.status == "untrusted"
    assert "'spam' is none of the options" in result.reason
