"""A reader's file as an encoder, without a library of ONNX."""

from __future__ import annotations

import pytest

from twosup_chain.classifier.graph import hidden_states
from twosup_chain.reader.engine import import_onnxruntime
from twosup_chain.reader.folder import MODEL_FILE, PACKAGED_MODEL


@pytest.fixture(scope="module")
def model():
    return (PACKAGED_MODEL / MODEL_FILE).read_bytes()


def test_the_hidden_states_are_the_only_outputs(model):
    cut, names = hidden_states(model, (0, 2))
    session = import_onnxruntime().InferenceSession(cut)
    assert [node.name for node in session.get_outputs()] == names
    feed = {name: [[101, 2054, 102]] for name in ("input_ids", "token_type_ids")}
    feed["token_type_ids"] = [[0, 0, 0]]
    assert [state.shape for state in session.run(names, feed)] == [(1, 3, 384)] * 2


def test_a_layer_that_is_not_there_is_refused(model):
    with pytest.raises(ValueError, match="6 layers"):
        hidden_states(model, (7,))


def test_what_is_no_model_is_refused(model):
    for bytes_ in (b"\x0b", b"\x3a\xff", model[:100]):
        with pytest.raises(ValueError, match="there is|cut off|layers"):
            hidden_states(bytes_, (1,))
