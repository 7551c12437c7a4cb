"""A sketch recognises the questions that something was made from, in a few kilobytes."""

from __future__ import annotations

import numpy as np
import pytest

from twosup_chain._sketch import MOST, recognised, sketch
from twosup_chain.errors import InputError


def digests(n, seed):
    return np.random.default_rng(seed).integers(0, 2**64, n, dtype=np.uint64)


def test_few_questions_are_all_recognised_and_no_others():
    old, new = digests(400, 0), digests(400, 1)
    assert recognised(sketch(old), old).all()
    assert not recognised(sketch(old), new).any()
    assert not recognised(None, old).any()


def test_of_many_questions_a_sample_is_recognised_and_the_text_stays_short():
    old = digests(100_000, 2)
    known = sketch(old)
    assert len(known) < 44_000
    found = recognised(known, np.concatenate([old[:5_000], digests(5_000, 3)]))
    assert found[:5_000].sum() == pytest.approx(5_000 * MOST / 100_000, rel=0.2)
    assert not found[5_000:].any()


def test_what_is_no_sketch_is_said():
    with pytest.raises(InputError, match="are damaged"):
        recognised("abc", digests(3, 0))
