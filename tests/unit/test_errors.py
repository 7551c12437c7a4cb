"""Errors form one tree, say what to do, and survive pickling (they cross process borders in batches)."""

from __future__ import annotations

import inspect
import pickle
import re

import pytest

from twosup_chain import TwoSupervisorResult, errors

ALL = [
    item
    for _, item in inspect.getmembers(errors, inspect.isclass)
    if item.__module__ == errors.__name__ and not issubclass(item, Warning)
]


@pytest.mark.parametrize("error", ALL)
def test_every_error_is_in_the_tree_and_in_the_drawing(error) -> None:
    assert issubclass(error, errors.TwosupError)
    assert re.search(rf"\b{error.__name__}\b", errors.__doc__)


@pytest.mark.parametrize(
    "error",
    [
        errors.UnknownOptionError("option of X", "treshold", ["threshold", "scorer"]),
        errors.MissingExtraError("LlamaCppAnswerer", "llama-cpp-python", "llama"),
        errors.EmptyAnswerError("nothing", {"input_tokens": 1, "output_tokens": 0, "total_tokens": 1}),
        errors.NoTrustedAnswerError(TwoSupervisorResult(None, "untrusted", "none", reason="nobody")),
    ],
)
def test_an_error_survives_pickling(error) -> None:
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert (type(copy), str(copy), vars(copy)) == (type(error), str(error), vars(error))


def test_a_missing_extra_gives_the_exact_command() -> None:
    error = errors.MissingExtraError("LlamaCppAnswerer", "llama-cpp-python", "llama")
    assert str(error) == "LlamaCppAnswerer needs llama-cpp-python: pip install 'twosup-chain[llama]'"
    assert isinstance(error, ImportError)
