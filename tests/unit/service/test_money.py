from __future__ import annotations

import sys

import pytest

from twosup_chain import Answer, Supervisor, TwoSupervisorChain
from twosup_chain.errors import ConfigurationError, EmptyAnswerError, MissingExtraError
from twosup_chain.outcomes.price import Price
from twosup_chain.schema import QAInput
from twosup_chain.service.money import PROMPT_TOKENS, bill, bound

PRICE = Price(input=1.0, output=10.0, currency="EUR")
ASKED = QAInput("Who wrote it?", "Ada wrote it. " * 10)
USAGE = {"input_tokens": 1_000, "output_tokens": 100, "total_tokens": 1_100}


def billed(*, trusted, remote=None, local=lambda _: "Ada"):
    chain = TwoSupervisorChain(
        local=local,
        local_supervisor=Supervisor(lambda asked, answer: float(trusted), threshold=0.5),
        remote=remote or (lambda _: Answer("Ada", usage=USAGE)),
        remote_supervisor=Supervisor(lambda asked, answer: 0.0, threshold=0.5),
        on_remote_error="no_answer",
    )
    return bill(ASKED, chain.invoke(ASKED), PRICE)


def test_a_hosted_answer_costs_what_its_tokens_cost_also_where_it_is_rejected():
    assert billed(trusted=False) == (0.002, 0.002, "EUR", False)


def test_a_local_answer_costs_nothing_and_what_was_saved_is_kept_apart_on_the_low_side():
    found = billed(trusted=True, local=lambda _: Answer("Ada", usage=USAGE))
    assert found.cost == 0.0
    assert 0.0 < found.always_remote < 0.002


def test_tokens_that_are_not_reported_are_bounded_by_bytes_and_marked():
    found = billed(trusted=False, remote=lambda _: "Ada")
    assert found.estimated
    assert found.cost == pytest.approx((sum(map(len, ASKED.texts)) + PROMPT_TOKENS + 10 * 3) / 1e6)


def test_a_reply_that_was_none_is_paid_for_all_the_same():
    def empty(_):
        raise EmptyAnswerError("nothing", USAGE)

    assert billed(trusted=False, remote=empty).cost == 0.002


def test_a_call_that_was_left_behind_may_be_charged_for_and_one_that_was_refused_is_not():
    def left(_):
        raise TimeoutError

    def refused(_):
        raise ConnectionRefusedError

    assert billed(trusted=False, remote=left).estimated
    assert billed(trusted=False, remote=left).cost == pytest.approx((sum(map(len, ASKED.texts)) + PROMPT_TOKENS) / 1e6)
    assert billed(trusted=False, remote=refused)[0] == 0.0


def test_no_call_costs_more_than_its_bound():
    for text in ("a", "ä" * 999, "\N{SNOWMAN}" * 50):
        asked = QAInput(text, [text, text])
        assert bound(asked, PRICE, 100) >= PRICE.of(3.0 * len(text.encode()), 100.0)


@pytest.mark.parametrize("name", ["openai:gpt-4.1-mini", "gpt-4.1-mini"])
def test_a_price_is_found_by_the_models_name_without_a_connection(name, monkeypatch):
    pytest.importorskip("genai_prices")
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("a connection"))
    assert Price.of_model(name).model_copy(update={"context": None}) == Price(input=0.4, output=1.6, currency="USD")
    assert Price.of_model("google_genai:gemini-2.5-pro").input > 2.0  # its dearer tier: 2.25 or 2.5, by the list's age


def test_without_a_known_price_there_is_no_currency(monkeypatch):
    pytest.importorskip("genai_prices")
    with pytest.raises(ConfigurationError, match="Price\\(input="):
        Price.of_model("openai:no-such-model")
    monkeypatch.setitem(sys.modules, "genai_prices", None)
    with pytest.raises(MissingExtraError, match="serve"):
        Price.of_model("openai:gpt-4.1-mini")
