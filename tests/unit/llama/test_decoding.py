"""From logits to a reply, on a model whose every probability is known."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from twosup_chain.llama.decoding import Sampling, log_sum_exp, opening_probability, spelt, write_line


def _read(model):
    return model.read([list(b"prompt")])


def text_of(tokens):
    return spelt(tokens).decode(errors="replace")


def logprobs(tokens):
    return [token.logprob for token in tokens]


def test_the_likeliest_reply_is_written_with_the_probability_of_each_of_its_tokens(scripted) -> None:
    model = scripted({b"ab": 0.6, b"ac": 0.1, b"b": 0.3})
    reply = write_line(model, _read(model), Sampling(max_tokens=10))
    assert text_of(reply) == "ab"
    assert [token.text for token in reply] == ["a", "b", "<|end|>"]
    assert [token.ends for token in reply] == [False, False, True]
    assert logprobs(reply) == pytest.approx([math.log(0.7), math.log(0.6 / 0.7), 0.0], abs=1e-5)


def test_the_probabilities_of_a_reply_s_tokens_multiply_to_the_reply_s(scripted) -> None:
    model = scripted({b"one": 0.5, b"two": 0.25, b"three": 0.25})
    reply = write_line(model, _read(model), Sampling(max_tokens=10))
    assert math.exp(sum(logprobs(reply))) == pytest.approx(0.5, abs=1e-5)


def test_a_reply_ends_with_its_first_line_that_holds_text(scripted) -> None:
    model = scripted({b"\n one\nthe second line": 1.0})
    reply = write_line(model, _read(model), Sampling(max_tokens=50))
    assert text_of(reply) == "\n one\n"
    assert reply[-1].text == "\n"


def test_a_reply_is_no_longer_than_max_tokens(scripted) -> None:
    model = scripted({b"abcdef": 1.0})
    reply = write_line(model, _read(model), Sampling(max_tokens=3))
    assert text_of(reply) == "abc"
    assert len(reply) == 3


def test_a_character_split_over_tokens_is_whole_in_the_text(scripted) -> None:
    model = scripted({"Zürich 東".encode(): 1.0})
    reply = write_line(model, _read(model), Sampling(max_tokens=50))
    assert text_of(reply) == "Zürich 東"
    assert reply[1].text == "\ufffd"


def test_a_character_cut_off_by_max_tokens_becomes_a_replacement_mark(scripted) -> None:
    model = scripted({"東".encode(): 1.0})
    assert text_of(write_line(model, _read(model), Sampling(max_tokens=2))) == "\ufffd"


def test_a_temperature_draws_replies_as_often_as_they_are_probable(scripted) -> None:
    model = scripted({b"a": 0.5, b"b": 0.3, b"c": 0.2})
    logits = _read(model)
    drawn = Counter(
        text_of(write_line(model, logits, Sampling(max_tokens=1, temperature=1.0, seed=seed))) for seed in range(2000)
    )
    for text, probability in {"a": 0.5, "b": 0.3, "c": 0.2}.items():
        assert drawn[text] / 2000 == pytest.approx(probability, abs=0.05)


def test_a_low_temperature_draws_the_likeliest_and_reports_probabilities_at_temperature_1(scripted) -> None:
    model = scripted({b"a": 0.6, b"b": 0.4})
    reply = write_line(model, _read(model), Sampling(max_tokens=1, temperature=0.01, seed=3))
    assert text_of(reply) == "a"
    assert logprobs(reply) == pytest.approx([math.log(0.6)], abs=1e-5)


def test_the_same_seed_draws_the_same_reply(scripted) -> None:
    model = scripted({bytes([a, b]): 1 / 64 for a in b"abcdefgh" for b in b"abcdefgh"})
    first, second, other = (
        text_of(write_line(model, _read(model), Sampling(max_tokens=3, temperature=1.0, seed=seed)))
        for seed in (5, 5, 6)
    )
    assert first == second
    assert first != other


def test_the_opening_probability_is_the_mass_of_all_replies_that_open_so(scripted) -> None:
    model = scripted({b"no": 0.2, b"none": 0.1, b"north": 0.05, b"No": 0.25, b"yes": 0.4})
    logits = _read(model)
    assert opening_probability(model, logits, [list(b"no")]) == pytest.approx(0.35, abs=1e-5)
    assert opening_probability(model, logits, [list(b"no"), list(b"No")]) == pytest.approx(0.6, abs=1e-5)


def test_a_variant_given_twice_counts_once(scripted) -> None:
    model = scripted({b"no": 0.5, b"yes": 0.5})
    assert opening_probability(model, _read(model), [list(b"no")] * 2) == pytest.approx(0.5, abs=1e-5)


def test_an_impossible_opening_has_probability_0(scripted) -> None:
    model = scripted({b"yes": 1.0})
    assert opening_probability(model, _read(model), [list(b"no")]) == 0.0


def test_a_variant_whose_first_token_is_negligible_is_not_evaluated(scripted) -> None:
    model = scripted({b"no": 0.5, b"No": 0.004, b"yes": 0.496})
    logits = _read(model)
    appended = []
    append = model.append
    model.append = lambda token: appended.append(token) or append(token)
    opening_probability(model, logits, [list(b"no"), list(b"No")])
    assert appended == [ord("n")]


def test_the_opening_probability_does_not_depend_on_what_was_written_before(scripted) -> None:
    model = scripted({b"no": 0.5, b"yes": 0.5})
    logits = _read(model)
    write_line(model, logits, Sampling(max_tokens=5))
    assert opening_probability(model, logits, [list(b"no")]) == pytest.approx(0.5, abs=1e-5)


@pytest.mark.parametrize("shift", [-1e4, 0.0, 1e4])
def test_log_sum_exp_neither_overflows_nor_underflows(shift: float) -> None:
    logits = (np.log([0.25, 0.75]) + shift).astype(np.float32)
    assert log_sum_exp(logits) == pytest.approx(shift, abs=1e-2)


def test_log_sum_exp_of_a_whole_vocabulary_is_exact_to_a_millionth() -> None:
    logits = np.random.default_rng(0).normal(0, 5, 150_000).astype(np.float32)
    wide = logits.astype(np.float64)
    expected = wide.max() + math.log(np.exp(wide - wide.max()).sum())
    assert log_sum_exp(logits) == pytest.approx(expected, abs=2e-6)
