from __future__ import annotations

import asyncio

import pytest

from twosup_chain import Answer, Supervisor, TwoSupervisorChain
from twosup_chain.errors import ConfigurationError
from twosup_chain.outcomes.price import Price
from twosup_chain.schema import QAInput
from twosup_chain.service.budget import Caps
from twosup_chain.service.decision import Ticket, decision_of, text_of
from twosup_chain.service.gate import RemoteGate
from twosup_chain.service.shadow import Shadow

PRICE = Price(input=1.0, output=10.0)
USAGE = {"input_tokens": 1_000, "output_tokens": 100, "total_tokens": 1_100}
ASKED = QAInput("Who?", "Ada wrote it.")


def chain(remote=lambda _: Answer("Ada Lovelace", usage=USAGE, model="big"), trust=1.0, **options):
    return TwoSupervisorChain(
        local=lambda _: Answer("Ada", model="small"),
        local_supervisor=Supervisor(lambda asked, answer: trust, threshold=0.5),
        remote=remote,
        remote_supervisor=Supervisor(lambda asked, answer: 0.75, threshold=0.5),
        **options,
    )


def decided(built, asked=ASKED, number=0):
    result = built.invoke(asked)
    ticket = Ticket(route="r", id=f"dec_{number}")
    return result, decision_of(ticket, asked, result, text=text_of(asked, result), cost=0.0)


def followed(built, asked=ASKED):
    result, decision = decided(built, asked)
    return decision, asyncio.run(Shadow(built, rate=1.0, price=PRICE).follow(asked, result, decision))


def test_a_trusted_local_answer_is_followed_by_the_hosted_one_whose_cost_stands_apart():
    before, after = followed(chain())
    assert (after.source, after.status, after.reason, after.cost) == ("local", "answered", before.reason, 0.0)
    assert after.shadow
    assert after.shadow_cost == 0.002
    assert after.agree is False
    assert after.models == {"local": "small", "remote": "big"}
    assert (after.verdicts["local"], after.verdicts["remote"].score) == (before.verdicts["local"], 0.75)
    assert after.text.answers == {"local": "Ada", "remote": "Ada Lovelace"}


def test_the_share_is_kept_and_the_same_decisions_are_always_drawn():
    built = chain()
    _, decision = decided(built)
    many = [decision.model_copy(update={"id": f"dec_{i}"}) for i in range(4_000)]
    wanted = [shadow.wants(d) for shadow in [Shadow(built, rate=0.2)] for d in many]
    assert 0.17 < sum(wanted) / len(wanted) < 0.23
    assert wanted == [shadow.wants(d) for shadow in [Shadow(built, rate=0.2)] for d in many]
    assert not any(map(Shadow(built, rate=0.0).wants, many))


def test_what_was_escalated_is_not_asked_again():
    built = chain(trust=0.0)
    assert not Shadow(built, rate=1.0).wants(decided(built)[1])


@pytest.mark.parametrize(
    "options",
    [
        {"never_escalate": "Who"},
        {"gate": "capped"},
        {"remote": lambda _: 1 / 0},
    ],
    ids=["a rule", "a cap", "a failure"],
)
def test_rules_caps_and_failures_hold_in_the_shadow_too_and_cost_nothing(options, tmp_path):
    asked = []
    if "gate" in options:
        options = {"gate": RemoteGate(caps=Caps(day=0.0), price=PRICE, store=tmp_path / "a.db", max_tokens=9)}
    remote = {"remote": lambda _: asked.append(1) or "b"}
    before, after = followed(chain(**{**remote, **options}))
    assert after == before
    assert not asked


def test_a_rate_that_is_none_is_an_error():
    with pytest.raises(ConfigurationError, match="shadow_rate=5"):
        Shadow(chain(), rate=5)
