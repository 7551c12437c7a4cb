"""Whether an answer is of the kind asked for, whole, and not its neighbour."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosup_chain.scoring.aptness import aptness_features

FARES = "Category | Summer | Winter\nAdult | £8.40 | £6.20\nDog | £1.80 | £1.80"


def found(question, passage, text, at=None):
    return aptness_features(question, [passage], text, at)


@pytest.mark.parametrize(
    ("question", "yes_no", "several", "value"),
    [
        ("Is breakfast included?", 1, 0, 0),
        ("In this plan, are pets allowed?", 1, 0, 0),
        ("Which courses must be booked?", 0, 1, 0),
        ("In which colours is it sold?", 0, 1, 0),
        ("Who are the members?", 0, 1, 0),
        ("What does a ticket cost?", 0, 0, 1),
        ("What is the bonus?", 0, 0, 0),
        ("When is payment due?", 0, 0, 1),
    ],
)
def test_what_a_question_wants_is_seen(question, yes_no, several, value):
    kinds = found(question, "…", "…")
    assert (kinds["asks_yes_no"], kinds["asks_several"], kinds["asks_value"]) == (yes_no, several, value)


@pytest.mark.parametrize(
    ("question", "text", "fits"),
    [
        ("What does it cost?", "£12", 1.0),
        ("What does it cost?", "12 days", 0.5),
        ("What does it cost?", "the owner", 0.0),
        ("When is it due?", "14 March", 1.0),
        ("When is it due?", "within 30 days", 1.0),
        ("How long does it take?", "two hours", 1.0),
        ("What share is paid?", "20 %", 1.0),
        ("At what pressure does it stop?", "Water pressure", 0.0),
        ("Who pays?", "the owner", 0.5),
    ],
)
def test_a_value_fits_what_is_asked_for(question, text, fits):
    assert found(question, "…", text)["value_fits"] == fits


def test_half_of_a_list_goes_on_beside_it():
    half = found("In which colours is it sold?", "It comes in white, black and red.", "white")
    whole = found("In which colours is it sold?", "It comes in white, black and red.", "white, black and red")
    assert (half["answer_continues"], half["answer_half"], half["answer_items"]) == (1.0, 1.0, math.log(2))
    assert (whole["answer_continues"], whole["answer_half"], whole["answer_items"]) == (0.0, 0.0, math.log(4))
    assert found("Who came?", "Ada and Tom came.", "Tom")["answer_continues"] == 1.0


def test_the_number_in_the_next_cell_is_a_rival_and_its_cell_lags():
    question = "How much does an adult pay in winter?"
    wrong, right = (found(question, FARES, text) for text in ("£8.40", "£6.20"))
    assert (wrong["in_table"], wrong["value_rivals"], right["value_rivals"]) == (1.0, math.log(2), math.log(2))
    assert wrong["cell_lag"] == pytest.approx(1 / 3)
    assert (right["cell_lag"], right["cell_overlap"]) == (0.0, pytest.approx(2 / 3))


def test_where_an_answer_stands_is_taken_as_told():
    question, last = "What does a dog cost in winter?", FARES.rindex("£1.80")
    assert found(question, FARES, "£1.80")["cell_lag"] > 0.0
    assert found(question, FARES, "£1.80", (0, last))["cell_lag"] == 0.0


def test_what_a_sentence_denies_is_seen_unless_the_answer_says_so():
    question, passage = "Which room has been booked?", "The hotel has not been booked yet. The hall is free."
    assert found(question, passage, "hotel")["negation_outside"] == 1.0
    assert found(question, passage, "hall")["negation_outside"] == 0.0
    denied = found("Has the hotel been booked?", passage, "not been booked")
    assert (denied["negation_outside"], denied["answer_negated"]) == (0.0, 1.0)


def test_a_span_that_runs_on_is_seen():
    assert found("How hot?", "45 °C. Then stop.", "45 °C. Then")["answer_runs_on"] == 1.0
    assert found("How hot?", "45.5 °C. Then stop.", "45.5 °C")["answer_runs_on"] == 0.0


@given(st.text(max_size=60), st.text(max_size=80), st.text(max_size=20), st.none() | st.tuples(st.just(0), st.just(3)))
def test_any_text_gives_finite_numbers(question, passage, text, at):
    assert all(map(math.isfinite, found(question, passage, text, at).values()))
