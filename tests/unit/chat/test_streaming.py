"""Streams: nothing of a rejected draft is shown to anybody, and an early rejection really ends its generation."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from screens import AsyncScreen, Screen

from twosup_chain import Supervisor

NOTHING = "No answer was found that can be trusted."
SURE = [("Paris", 0.9), (" is", 0.8), (" it", 0.9)]
UNSURE = [("Lyon", 0.9), (" is", 0.2), (" it", 0.9), (",", 0.9), (" I", 0.9), (" think", 0.9)]
OTHER = [("It", 0.9), (" is", 0.9), (" Rome", 0.9)]
LATE = [("Lyon", 0.9), (" is", 0.9), (" it", 0.2)]


@given(
    local=st.lists(st.sampled_from([0.2, 0.6, 0.9]), min_size=1, max_size=5),
    remote=st.lists(st.sampled_from([0.2, 0.6, 0.9]), min_size=1, max_size=5),
)
def test_no_character_of_a_rejected_draft_is_shown(chat_of, local, remote) -> None:
    model = chat_of([(f"l{i}", p) for i, p in enumerate(local)], [(f"r{i}", p) for i, p in enumerate(remote)])
    screen = Screen()
    text = "".join(chunk.content for chunk in model.stream("Where?", {"callbacks": [screen]}))
    if min(local) > 0.5:
        expected = "".join(f"l{i}" for i in range(len(local)))
    elif min(remote) > 0.5:
        expected = "".join(f"r{i}" for i in range(len(remote)))
    else:
        expected = NOTHING
    assert text == "".join(screen.shown) == expected


async def test_nor_is_it_shown_by_events_and_asynchronous_handlers(chat) -> None:
    screen = AsyncScreen()
    events = chat(UNSURE, OTHER).astream_events("Where?", {"callbacks": [screen]}, version="v2")
    shown = [e["data"]["chunk"].content async for e in events if e["event"] == "on_chat_model_stream"]
    assert "".join(shown) == "".join(screen.shown) == "It is Rome"


@pytest.mark.parametrize("how", ["invoke", "stream"])
def test_an_early_rejection_ends_the_generation(chat, how) -> None:
    model = chat(UNSURE, OTHER)
    getattr(model, how)("Where?") if how == "invoke" else list(model.stream("Where?"))
    assert model.local.generated == ["Lyon", " is"]


@pytest.mark.parametrize("how", ["ainvoke", "astream"])
async def test_an_early_rejection_ends_the_generation_asynchronously(chat, how) -> None:
    model = chat(UNSURE, OTHER)
    if how == "ainvoke":
        await model.ainvoke("Where?")
    else:
        [chunk async for chunk in model.astream("Where?")]
    assert model.local.generated == ["Lyon", " is"]


def test_a_mean_is_bounded_by_the_longest_reply(chat) -> None:
    supervisor = Supervisor("mean_token_probability", threshold=0.5)
    tokens = [("a", 0.05)] * 10
    model = chat(tokens, OTHER, local_supervisor=supervisor, max_tokens=10)
    model.invoke("Where?")
    least = next(n for n in range(1, 11) if math.exp(n * math.log(0.05) / 10) < 0.5)
    assert len(model.local.generated) == least
    unbounded = chat(tokens, OTHER, local_supervisor=supervisor)
    unbounded.invoke("Where?")
    assert len(unbounded.local.generated) == 10


@pytest.mark.parametrize(
    "options",
    [
        {"early_rejection": False},
        {"on_remote_error": "local"},
        {"remote_supervisor": Supervisor("agreement", threshold=0.5)},
        {"remote_supervisor": Supervisor(lambda question, answer, local=None: 1.0, threshold=0.5)},
    ],
)
def test_a_draft_that_may_be_needed_whole_is_not_stopped(chat, options) -> None:
    model = chat(UNSURE, OTHER, **options)
    list(model.stream("Where?"))
    assert len(model.local.generated) == len(UNSURE)


def test_a_reasoning_is_no_reason_to_stop(chat) -> None:
    tokens = [("<think>", 0.9), ("hm", 0.1), ("</think>", 0.9), ("Paris", 0.9)]
    model = chat(tokens, OTHER)
    assert model.invoke("Where?").response_metadata["twosup"]["source"] == "local"


def test_what_a_stopped_model_does_not_report_is_counted_here(chat) -> None:
    message = chat({"tokens": UNSURE, "reports_usage": False}, OTHER).invoke("Where?")
    decision = message.response_metadata["twosup"]
    assert decision["usage_estimated"]
    assert decision["usage"]["local"]["output_tokens"] == 2


def test_the_last_chunk_alone_carries_cost_and_decision(chat) -> None:
    *others, last = chat(SURE, OTHER).stream("Where?")
    assert last.chunk_position == "last"
    assert last.usage_metadata["total_tokens"] == 8
    assert last.response_metadata["twosup"]["source"] == "local"
    assert all(chunk.usage_metadata is None and "twosup" not in chunk.response_metadata for chunk in others)
    assert [chunk.content for chunk in others if chunk.content] == [token for token, _ in SURE]


# -- at once -----------------------------------------------------------------------------------------------------------


def test_a_hosted_answer_is_held_unless_told_otherwise(chat) -> None:
    stream = chat(UNSURE, SURE).stream("Where?")
    assert next(stream).content == "Paris is it"


def test_at_once_shows_a_token_before_the_next_one_is_generated(chat) -> None:
    model = chat(UNSURE, SURE, remote_tokens="at_once")
    stream = model.stream("Where?")
    assert (next(stream).content, model.remote.generated) == ("Paris", ["Paris"])
    assert (next(stream).content, model.remote.generated) == (" is", ["Paris", " is"])
    stream.close()
    assert model.remote.generated == ["Paris", " is"]


def test_at_once_ends_a_rejected_answer_with_the_no_answer_text_and_says_so(chat) -> None:
    chunks = list(chat(UNSURE, LATE, remote_tokens="at_once").stream("Where?"))
    assert "".join(chunk.content for chunk in chunks) == f"Lyon is\n\n{NOTHING}"
    decision = chunks[-1].response_metadata["twosup"]
    assert (decision["status"], decision["shown_before_rejection"]) == ("untrusted", True)


async def test_at_once_streams_the_same_message_where_it_is_accepted(chat) -> None:
    model = chat(UNSURE, OTHER, remote_tokens="at_once")
    chunks = [chunk async for chunk in model.astream("Where?")]
    assert "".join(chunk.content for chunk in chunks) == model.invoke("Where?").content
    assert not chunks[-1].response_metadata["twosup"]["shown_before_rejection"]


def test_at_once_says_that_a_failing_remote_was_cut_off(chat) -> None:
    remote = {"tokens": OTHER, "error": RuntimeError("cut off")}
    model = chat(UNSURE, remote, remote_tokens="at_once", on_remote_error="no_answer")
    assert "".join(chunk.content for chunk in model.stream("Where?")) == f"It is Rome\n\n{NOTHING}"


@pytest.mark.parametrize("side", ["local", "remote"])
def test_a_supervisor_that_accepts_everything_is_not_waited_for(chat, side) -> None:
    anything = Supervisor("min_token_probability", threshold=0.0, missing=0.0)
    model = chat(UNSURE, OTHER, **{f"{side}_supervisor": anything})
    stream = model.stream("Where?")
    assert (next(stream).content, len(getattr(model, side).generated)) == ("Lyon" if side == "local" else "It", 1)
    stream.close()
