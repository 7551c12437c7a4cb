from __future__ import annotations

import logging
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosup_chain.answerers.logprobs import token_logprobs


def records(*pairs):
    return [{"token": token, "logprob": logprob} for token, logprob in pairs]


def openai(*pairs):
    return {"logprobs": {"content": records(*pairs), "refusal": None}}


def pairs_of(tokens):
    return [(token.token, token.logprob) for token in tokens]


ELLEN = (("Ellen", -0.01), (" Marsh", -0.2))
SHAPES = {
    "OpenAI's chat completions": openai(*ELLEN),
    "Ollama": {"logprobs": records(*ELLEN)},
    "Vertex AI": {"logprobs_result": records(*ELLEN)},
    "completions, as Together gives them for chat": {
        "logprobs": {
            "content": None,
            "token_ids": [1, 2],
            "tokens": ["Ellen", " Marsh"],
            "token_logprobs": [-0.01, -0.2],
        }
    },
    "Google": {
        "logprobs_result": {
            "chosen_candidates": [
                {"token": "Ellen", "log_probability": -0.01},
                {"token": " Marsh", "log_probability": -0.2},
            ],
            "top_candidates": [],
        }
    },
}


@pytest.mark.parametrize("metadata", SHAPES.values(), ids=SHAPES)
def test_every_known_shape_gives_the_same_tokens(metadata):
    assert pairs_of(token_logprobs(metadata, "Ellen Marsh")) == list(ELLEN)


ALTERNATIVES = {
    "records": {
        "logprobs": {"content": [{**records(("a", -0.5))[0], "top_logprobs": records(("b", -2.0), ("a", -0.5))}]}
    },
    "parallel dicts": {
        "logprobs": {"tokens": ["a"], "token_logprobs": [-0.5], "top_logprobs": [{"b": -2.0, "a": -0.5}]}
    },
    "Google": {
        "logprobs_result": {
            "chosen_candidates": [{"token": "a", "log_probability": -0.5}],
            "top_candidates": [
                {"candidates": [{"token": "b", "log_probability": -2.0}, {"token": "a", "log_probability": -0.5}]}
            ],
        }
    },
}


@pytest.mark.parametrize("metadata", ALTERNATIVES.values(), ids=ALTERNATIVES)
def test_alternatives_are_kept_best_first(metadata):
    (token,) = token_logprobs(metadata)
    assert token.top == (("a", -0.5), ("b", -2.0))


@pytest.mark.parametrize(
    "top", [None, [], "x", [{"token": "b"}, {"token": "b", "logprob": None}, {"token": 3, "logprob": -1.0}, 7]]
)
def test_malformed_alternatives_are_left_out_and_cost_nothing_else(top):
    (token,) = token_logprobs({"logprobs": {"content": [{"token": "a", "logprob": -0.5, "top_logprobs": top}]}})
    assert (token.token, token.logprob, token.top) == ("a", -0.5, ())


def test_as_many_alternatives_as_tokens_or_none():
    (token,) = token_logprobs(
        {"logprobs": {"tokens": ["a"], "token_logprobs": [-0.5], "top_logprobs": [{}, {"b": -1.0}]}}
    )
    assert token.top == ()


NOTHING = [
    {},
    {"logprobs": None},
    {"logprobs": []},
    {"logprobs": {"content": []}},
    {"logprobs": {"content": None, "refusal": None}},
    {"logprobs": {"tokens": [], "token_logprobs": []}},
    {"avg_logprobs": -0.3},
]
MALFORMED = [
    {"logprobs": "high"},
    {"logprobs": 3},
    {"logprobs": True},
    {"logprobs": {"content": "Ellen"}},
    {"logprobs": {"content": [1, 2]}},
    {"logprobs": {"content": [{"token": "Ellen"}]}},
    {"logprobs": {"content": [{"logprob": -0.1}]}},
    {"logprobs": {"content": [{"token": None, "logprob": -0.1}]}},
    {"logprobs": {"tokens": ["a", "b"], "token_logprobs": [-0.1]}},
    {"logprobs": {"tokens": ["a"], "token_logprobs": [None]}},
    {"logprobs": {"tokens": None, "token_logprobs": [-0.1]}},
    {"logprobs_result": {"chosen_candidates": [{"token": "a"}]}},
    *(
        openai(("a", wrong))
        for wrong in ("-0.1", None, True, False, 0.5, math.nan, math.inf, -math.inf, 10**400, [], {})
    ),
]


@pytest.mark.parametrize("metadata", [*NOTHING, *MALFORMED], ids=repr)
def test_what_is_missing_or_malformed_is_no_evidence_and_no_error(metadata):
    assert token_logprobs(metadata) is None


@pytest.mark.parametrize("metadata", MALFORMED, ids=repr)
def test_the_debug_log_tells_why_log_probabilities_were_ignored(metadata, caplog):
    with caplog.at_level(logging.DEBUG, logger="twosup_chain"):
        token_logprobs(metadata)
    assert "log-probabilities ignored" in caplog.text


def test_one_bad_token_spoils_the_whole_reply():
    assert token_logprobs(openai(("Ellen", -0.1), (" Marsh", math.nan))) is None


def test_rounding_above_zero_is_certainty():
    (token,) = token_logprobs(openai(("a", 1e-6)))
    assert token.logprob == 0.0


def test_tokens_that_lack_a_part_of_the_reply_are_no_evidence():
    assert token_logprobs(openai(("Ellen", -0.1)), "Ellen Marsh") is None


@pytest.mark.parametrize(
    "tokens", [("Z", "\\xc3\\xbc", "rich"), ("Z", "", "", "rich"), ("▁Z", "ü", "rich"), ("Zürich",)]
)
def test_bytes_and_pieces_of_tokens_are_taken_as_they_are(tokens):
    found = token_logprobs(openai(*((token, -0.1) for token in tokens)), "Zürich")
    assert [token.token for token in found] == list(tokens)


REASONED = (("<think>", -3.0), ("Ellen", -4.0), ("?", -5.0), ("</think>", -0.1), ("\n\n", -0.2))


@pytest.mark.parametrize("reply", ["Ellen Marsh", "\n\nEllen Marsh", " Ellen Marsh\n"])
def test_tokens_of_a_reasoning_and_of_the_end_of_turn_are_left_out(reply):
    found = token_logprobs(openai(*REASONED, *ELLEN, ("<|im_end|>", -0.3)), reply)
    assert pairs_of(found) == list(ELLEN)


def test_a_reply_is_not_looked_for_inside_an_end_of_turn_token():
    found = token_logprobs(openai(("en", -1.0), ("d", -2.0), ("<|im_end|>", -0.1)), "end")
    assert pairs_of(found) == [("en", -1.0), ("d", -2.0)]


def test_a_reply_may_end_within_a_token():
    found = token_logprobs(openai(("Ellen", -1.0), (" Marsh</s>", -2.0)), "Ellen Marsh")
    assert len(found) == 2


def test_all_tokens_are_kept_where_they_spell_the_reply_exactly():
    tokens = (("\n", -0.5), ('"', -0.6), ("Ellen", -0.1), ('"', -0.2), ("\n", -0.3))
    assert pairs_of(token_logprobs(openai(*tokens), '\n"Ellen"\n')) == list(tokens)


KEYS = (
    ["content", "tokens", "token_logprobs", "top_logprobs", "token", "logprob"],
    ["chosen_candidates", "top_candidates", "candidates", "log_probability"],
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*KEYS[0], *KEYS[1]]), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(["logprobs", "logprobs_result"]), json_values), st.text(max_size=6))
def test_no_metadata_whatever_makes_it_crash(metadata, reply):
    found = token_logprobs(metadata, reply)
    assert found is None or all(math.isfinite(token.logprob) and token.logprob <= 0 for token in found)


@given(st.lists(st.tuples(st.text(min_size=1, max_size=6), st.floats(-50, 0)), min_size=1, max_size=8))
def test_tokens_that_spell_the_reply_all_come_back(pairs):
    found = token_logprobs(openai(*pairs), "".join(token for token, _ in pairs))
    assert pairs_of(found) == pairs
