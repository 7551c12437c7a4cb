from __future__ import annotations

import copy
import time

import pytest

from twosup_chain.errors import ConfigurationError, EmptyAnswerError, RemoteWithheldError
from twosup_chain.service.breaker import Breaker

LOST = ConnectionError()


def fail(breaker, times, error=LOST):
    for _ in range(times):
        breaker.enter()
        breaker.leave(error)


def test_it_opens_after_so_many_failures_in_a_row_and_an_answer_between_begins_anew():
    breaker = Breaker(failures=3)
    fail(breaker, 2)
    fail(breaker, 1, None)
    fail(breaker, 2)
    assert breaker.state == "closed"
    fail(breaker, 1)
    assert breaker.state == "open"
    with pytest.raises(RemoteWithheldError, match="last 3 calls failed"):
        breaker.enter()


def test_then_one_question_at_a_time_is_let_through_until_one_is_answered():
    breaker = Breaker(failures=1, seconds=0.05)
    fail(breaker, 1)
    time.sleep(0.06)
    breaker.enter()
    with pytest.raises(RemoteWithheldError):
        breaker.enter()
    breaker.leave(ConnectionError())
    assert breaker.state == "open"
    time.sleep(0.06)
    breaker.enter()
    breaker.leave(GeneratorExit())  # given up: it says nothing
    breaker.enter()
    breaker.leave(None)
    assert breaker.state == "closed"


def test_a_call_from_before_that_ends_late_lets_no_second_question_through():
    breaker = Breaker(failures=1, seconds=0.05)
    early = [breaker.enter(), breaker.enter()]
    breaker.leave(ConnectionError(), probe=early[0])
    time.sleep(0.06)
    assert breaker.enter()
    breaker.leave(GeneratorExit(), probe=early[1])
    with pytest.raises(RemoteWithheldError):
        breaker.enter()


def test_what_says_nothing_of_the_model_does_not_count():
    breaker = Breaker(failures=1)
    bad_request = ValueError("400")
    bad_request.status_code = 400
    for error in (bad_request, EmptyAnswerError("no text"), ConfigurationError("no such option"), KeyboardInterrupt()):
        fail(breaker, 1, error)
    assert breaker.state == "closed"


def test_a_copy_begins_anew_and_nonsense_is_an_error():
    breaker = Breaker(failures=1)
    fail(breaker, 1)
    assert copy.deepcopy(breaker).state == "closed"
    with pytest.raises(ConfigurationError, match="failures=0"):
        Breaker(failures=0)
