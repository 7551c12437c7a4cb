"""Self-consistency: which of several samples is given, how far the others agree, and what all of them cost."""

from __future__ import annotations

from itertools import cycle

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage

from twosup_chain import Answer, QAInput, SelfConsistent, Supervisor
from twosup_chain.errors import ConfigurationError, EmptyAnswerError, MissingEvidenceError, RefusalError
from twosup_chain.scoring.features import features

USAGE = {"input_tokens": 10, "output_tokens": 2, "total_tokens": 12}
WHO = {"question": "Who?", "context": "Ada wrote it."}


def sampler(*replies):
    """Returns a function that gives these in turn, whatever is asked."""
    left = cycle(replies)

    def reply(_):
        found = next(left)
        if isinstance(found, Exception):
            raise found
        return found if isinstance(found, Answer) else Answer(found, usage=USAGE, scores={"own": 1.0}, model="m")

    return reply


async def ask(style, answerer):
    value = [WHO] if "batch" in style else WHO
    found = getattr(answerer, style)(value, {"max_concurrency": 1})
    found = await found if style.startswith("a") else found
    return found[0] if isinstance(found, list) else found


@pytest.mark.parametrize("style", ["invoke", "ainvoke", "batch", "abatch"])
async def test_the_majority_is_given_with_its_agreement_and_the_tokens_of_all(style):
    answer = await ask(style, SelfConsistent(sampler("Bob", "the Ada.", "Ada", None), samples=4))
    assert answer.text == "the Ada."
    assert answer.scores == {"own": 1.0, "self_consistency": pytest.approx(1 / 3)}
    assert answer.usage == {"input_tokens": 40, "output_tokens": 8, "total_tokens": 48}
    assert answer.model == "m"


@pytest.mark.parametrize(
    ("replies", "choose", "text", "agreement"),
    [
        (["Ada", "Ada", "Ada"], "majority", "Ada", 1.0),
        (["Ada", "Bob", "Eve"], "majority", "Ada", 0.0),
        (["Bob", "Ada", "Ada"], "first", "Bob", 0.0),
        ([None, None, "Ada"], "majority", None, 0.5),
        (["Ada Byron", "Ada", "Ada Byron"], "first", "Ada Byron", (2 / 3 + 1) / 2),
        ([RefusalError("no"), "Ada", "Ada"], "majority", "Ada", 0.5),
    ],
)
def test_agreement_is_the_mean_f1_with_the_other_samples(replies, choose, text, agreement):
    answerer = SelfConsistent(sampler(*replies), samples=3, choose=choose)
    answer = answerer.invoke(WHO, {"max_concurrency": 1})
    assert (answer.text, answer.scores["self_consistency"]) == (text, pytest.approx(agreement))


def test_where_no_sample_is_an_answer_the_first_error_knows_what_all_cost():
    errors = RefusalError("no", USAGE), EmptyAnswerError("nothing", USAGE)
    with pytest.raises(RefusalError, match="no") as caught:
        SelfConsistent(sampler(*errors), samples=2).invoke(WHO, {"max_concurrency": 1})
    assert caught.value.usage == {"input_tokens": 20, "output_tokens": 4, "total_tokens": 24}
    with pytest.raises(RefusalError):
        SelfConsistent(sampler(RefusalError("no"), "Ada"), samples=2, choose="first").invoke(
            WHO, {"max_concurrency": 1}
        )


@pytest.mark.parametrize("error", [TimeoutError(), ConnectionError("down"), RefusalError("no")])
def test_a_sample_that_fails_agrees_with_nothing_and_the_others_stay_paid(error):
    answer = SelfConsistent(sampler(Answer("Ada", usage=USAGE), error), samples=2).invoke(WHO, {"max_concurrency": 1})
    assert (answer.text, answer.scores["self_consistency"], answer.usage) == ("Ada", 0.0, USAGE)


def test_where_every_call_fails_the_error_is_raised_with_what_replies_cost():
    with pytest.raises(TimeoutError):
        SelfConsistent(sampler(TimeoutError()), samples=2).invoke(WHO)
    with pytest.raises(RefusalError) as caught:
        SelfConsistent(sampler(TimeoutError(), RefusalError("no", USAGE)), samples=2).invoke(
            WHO, {"max_concurrency": 1}
        )
    assert caught.value.usage == USAGE
    with pytest.raises(ConfigurationError):
        SelfConsistent(sampler("Ada", ConfigurationError("no such model")), samples=2).invoke(WHO)


def test_a_chat_model_is_asked_once_a_sample_and_every_call_is_in_the_trace():
    class Counter(BaseCallbackHandler):
        calls = 0

        def on_chat_model_start(self, *_, **__):
            self.calls += 1

    counter = Counter()
    model = GenericFakeChatModel(messages=iter([AIMessage("Ada")] * 3))
    answer = SelfConsistent(model, samples=3).invoke(WHO, {"callbacks": [counter]})
    assert (answer.text, answer.scores["self_consistency"], counter.calls) == ("Ada", 1.0, 3)


def test_it_is_a_scorer_and_a_feature():
    question = QAInput(**WHO)
    answer = SelfConsistent(sampler("Ada"), samples=2).invoke(WHO)
    assert Supervisor("self_consistency", threshold=0.6).judge(question, answer).score == 1.0
    assert features(question, answer)["self_consistency"] == 1.0
    with pytest.raises(MissingEvidenceError, match="SelfConsistent"):
        Supervisor("self_consistency", threshold=0.6).judge(question, Answer("Ada"))


@pytest.mark.parametrize("options", [{"samples": 1}, {"choose": "last"}, {"answerer": 3}, {"answerer": None}])
def test_a_wrong_option_is_named(options):
    with pytest.raises(ConfigurationError, match=next(iter(options))):
        SelfConsistent(**{"answerer": sampler("Ada"), **options})


def test_of_options_similar_words_say_nothing() -> None:
    asked = QAInput("Which?", "text", options=["not spam", "spam", "ham"])
    said = iter(["spam", "not spam", "spam", "ham"])
    answer = SelfConsistent(lambda _: next(said), samples=4).invoke(asked, {"max_concurrency": 1})
    assert (answer.text, answer.scores["self_consistency"]) == ("spam", pytest.approx(1 / 3))
