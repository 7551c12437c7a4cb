"""int8 products that mean the same on every processor: sums of two of them fit 16 bits.

Without VNNI a processor multiplies unsigned activations and signed weights with an instruction (``vpmaddubsw``) that
adds neighbouring products in 16 bits and saturates. Here it is simulated.
"""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from twosup_chain.reader.folder import MODEL_FILE, PACKAGED_MODEL
from twosup_chain.training.graph import _MOST, _quantise

onnx = pytest.importorskip("onnx")
pytestmark = pytest.mark.integration

BASE = Path(__file__).parents[2] / "companions" / "reader_base" / f"{MODEL_FILE}.gz"


def product_without_vnni(activations, weights):
    """What AVX2 alone makes of uint8 activations (tokens, inputs) and int8 weights (inputs, channels)."""
    terms = activations.astype(np.int32)[:, :, None] * weights.astype(np.int32)
    pairs = terms[:, 0::2] + terms[:, 1::2]
    return np.clip(pairs, -(2**15), 2**15 - 1).sum(axis=1)


def exact(activations, weights):
    return activations.astype(np.int32) @ weights.astype(np.int32)


@pytest.mark.parametrize("seed", range(3))
def test_no_activations_make_a_quantised_matrix_saturate(seed):
    rng = np.random.default_rng(seed)
    matrix = rng.standard_t(4, (64, 32)).astype(np.float32)
    matrix[:2, 0] = matrix[2:4, 1] = 9.0  # neighbours that are both the largest of their channel
    matrix[:2, 2] = -9.0
    loudest = np.full((1, 64), 255, np.uint8)
    activations = np.concatenate([loudest, rng.integers(0, 256, (20, 64)).astype(np.uint8)])
    safe, _ = _quantise(matrix, _MOST)
    assert (product_without_vnni(activations, safe) == exact(activations, safe)).all()
    whole, _ = _quantise(matrix, 127)
    assert (product_without_vnni(activations, whole) != exact(activations, whole)).any()


@pytest.mark.parametrize("model", [PACKAGED_MODEL / MODEL_FILE, BASE], ids=["small", "base"])
def test_no_weights_of_a_shipped_reader_can_saturate(model):
    content = model.read_bytes()
    graph = onnx.load_from_string(gzip.decompress(content) if model.suffix == ".gz" else content).graph
    multiplied = {node.input[1] for node in graph.node if node.op_type == "DynamicQuantizeMatMul"}
    most = {
        t.name: np.abs(onnx.numpy_helper.to_array(t).astype(int)).max()
        for t in graph.initializer
        if t.name in multiplied
    }
    assert len(most) == len(multiplied) > 30
    assert 2 * 255 * max(most.values()) < 2**15
