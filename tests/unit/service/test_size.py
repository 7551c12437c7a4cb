"""What is asked has no more tokens than it is said to have: text, tools, images; of what nobody knows it is said."""

from __future__ import annotations

import json

import pytest
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from twosup_chain import Supervisor, TwoSupervisorChatModel
from twosup_chain.chat._draft import Turn
from twosup_chain.outcomes.price import Price
from twosup_chain.schema import QAInput
from twosup_chain.service.money import bound
from twosup_chain.service.size import UnboundedError, most_tokens

TOOLS = [{"type": "function", "function": {"name": "search", "description": "x" * 500, "parameters": {}}}]
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 100_000, "detail": "high"}}


def turn(*content, **options):
    return Turn.of([SystemMessage("Ada wrote it."), HumanMessage(list(content) or "Who?")], "Ada wrote it.", **options)


def test_a_byte_has_no_more_than_a_token_and_a_message_adds_little():
    for text in ("a", "ä" * 99, "\N{SNOWMAN}" * 50):
        assert most_tokens(QAInput(text, [text, text]), image_tokens=None) == 3 * len(text.encode())
    assert len("Ada wrote it.Who?") < most_tokens(turn(), image_tokens=None) < 100


def test_tools_and_forms_and_calls_of_tools_count():
    plain = most_tokens(turn(), image_tokens=None)
    form = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object", "title": "y" * 300}}}
    assert most_tokens(turn(tools=TOOLS), image_tokens=None) >= plain + len(json.dumps(TOOLS))
    assert most_tokens(turn(response_format=form), image_tokens=None) >= plain + 300
    called = AIMessage("", tool_calls=[{"name": "search", "args": {"query": "z" * 400}, "id": "call_1"}])
    assert most_tokens(Turn.of([HumanMessage("Who?"), called], None), image_tokens=None) > 400


def test_what_else_a_model_is_told_is_no_choice_that_its_answer_must_be_one_of():
    said = GenericFakeChatModel(messages=iter(["Ada"]))
    always = Supervisor(lambda asked, answer: 1.0, threshold=0.5)
    chat = TwoSupervisorChatModel(local=said, local_supervisor=always)
    assert chat.invoke("Who?", max_tokens=9, temperature=0.5).content == "Ada"


def test_an_image_has_the_tokens_that_are_said_and_without_that_nobody_knows():
    text = {"type": "text", "text": "Who?"}
    assert most_tokens(turn(text, PICTURE, PICTURE), image_tokens=1_445) < 2 * 1_445 + 200
    with pytest.raises(UnboundedError, match="image_tokens"):
        most_tokens(turn(text, PICTURE), image_tokens=None)
    with pytest.raises(UnboundedError, match="'file'"):
        most_tokens(turn(text, {"type": "file", "file": {"file_data": "JVBERi0"}}), image_tokens=1_445)


def test_a_call_that_wants_more_or_longer_replies_is_bounded_by_that_and_by_what_the_model_can():
    price = Price(input=0.0, output=1.0)
    million = 1e-6
    assert bound(turn(), price, 100) == pytest.approx(100 * million)
    assert bound(turn(n=3), price, 100) == pytest.approx(300 * million)
    assert bound(turn(max_tokens=7), price, 100) == pytest.approx(7 * million)
    assert bound(turn(max_tokens=5_000), price, 100) == pytest.approx(5_000 * million)
    assert bound(turn(max_tokens=5_000), price.model_copy(update={"max_tokens": 900}), 100) == pytest.approx(0.0009)
    reads = Price(input=1.0, output=0.0, context=1_000)
    assert bound(turn(), reads, 100) == pytest.approx(1_000 * million)
