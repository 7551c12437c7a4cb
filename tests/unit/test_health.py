"""What a chain says of its models before and after they are loaded."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from twosup_chain import ExtractiveReader, Supervisor, TwoSupervisorChain
from twosup_chain.errors import ModelFileError

ASKED = {"question": "Who?", "context": "Ada wrote it."}


def _chain(reader, **options) -> TwoSupervisorChain:
    supervisor = Supervisor("grounded", threshold=0.0)
    return TwoSupervisorChain(local=reader, local_supervisor=supervisor, **options)


def test_a_warm_chain_is_ready_and_a_new_one_is_not() -> None:
    chain = _chain(ExtractiveReader())
    cold = chain.health()
    assert (cold.ready, [model.loaded for model in cold.models]) == (False, [False, False])
    warm = chain.warm_up()
    assert warm == chain.health()
    assert (warm.ready, [(m.loaded, m.watches_forks, m.waiting) for m in warm.models]) == (True, [(True, True, 0)] * 2)
    with pytest.raises((ValidationError, TypeError)):
        warm.ready = False


def test_a_model_is_found_behind_a_binding_and_told_once() -> None:
    reader = ExtractiveReader()
    chain = _chain(reader.with_config(tags=["bound"]), fallback=reader)
    assert len(chain.health().models) == 2


def test_a_chain_without_a_model_of_its_own_is_ready() -> None:
    chain = TwoSupervisorChain(local=lambda _: "Ada", local_supervisor=Supervisor(lambda *_, **__: 1.0, threshold=0.5))
    assert chain.warm_up().ready


def test_a_model_that_is_not_there_is_named_at_warm_up(tmp_path) -> None:
    with pytest.raises(ModelFileError, match="config.json"):
        _chain(ExtractiveReader(model=tmp_path)).warm_up()
