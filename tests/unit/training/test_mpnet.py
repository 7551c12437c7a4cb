"""An MPNet's tables in a BERT's terms: rows where a BERT tokenizer's ids find them, a bias by distance."""

from __future__ import annotations

import math

import numpy as np
import pytest

from twosup_chain.errors import ModelFileError
from twosup_chain.training.mpnet import DISTANCES, as_bert

ROWS, POSITIONS, HEADS, BUCKETS = 110, 10, 2, 32
VOCABULARY = {"[PAD]": 0, "[UNK]": 100, "[CLS]": 101, "[SEP]": 102, "[MASK]": 103} | {
    f"token {i}": i for i in range(ROWS) if i not in (0, 100, 101, 102, 103)
}


def checkpoint(rows=ROWS + 5, positions=POSITIONS):
    table = lambda n: np.arange(n, dtype=np.float32)[:, None] * np.ones((1, 4), np.float32)  # noqa: E731
    return {
        "mpnet.embeddings.word_embeddings.weight": table(rows),
        "mpnet.embeddings.position_embeddings.weight": table(positions + 2),
        "mpnet.encoder.relative_attention_bias.weight": table(BUCKETS)[:, :HEADS],
        "mpnet.encoder.layer.0.attention.attn.q.weight": np.ones((4, 4), np.float32),
        "mpnet.encoder.layer.0.attention.LayerNorm.bias": np.ones(4, np.float32),
        "qa_outputs.bias": np.ones(2, np.float32),
    }


def test_each_token_of_a_bert_tokenizer_finds_its_own_row():
    found, config = as_bert(checkpoint(), {"model_type": "mpnet", "hidden_size": 4}, VOCABULARY)
    rows = found["bert.embeddings.word_embeddings.weight"][:, 0]
    assert (rows[101], rows[102], rows[0]) == (0, 2, 1)  # <s>, </s> and <pad>
    assert [rows[i] for i in (5, 100, 109)] == [9, 104, 113]
    assert found["bert.embeddings.position_embeddings.weight"][:, 0].tolist() == list(range(2, POSITIONS + 2))
    assert config == {
        "model_type": "bert",
        "hidden_size": 4,
        "vocab_size": ROWS,
        "max_position_embeddings": POSITIONS,
    }
    assert {"bert.encoder.layer.0.attention.self.query.weight", "qa_outputs.bias"} < found.keys()
    assert "bert.encoder.layer.0.attention.output.LayerNorm.bias" in found


def bucket(distance):
    """The rule as its authors give it, one distance at a time."""
    side, far = (16 if distance > 0 else 0), abs(distance)
    if far < 8:
        return side + far
    return side + min(15, 8 + math.floor(round(math.log(far / 8) / math.log(16) * 8, 6)))


def test_the_bias_by_distance_is_that_of_the_distance_s_bucket():
    found, _ = as_bert(checkpoint(positions=200), {}, VOCABULARY)
    by_distance = found[DISTANCES]
    assert by_distance.shape == (HEADS, 399)
    assert by_distance[1].tolist() == [bucket(distance) for distance in range(-199, 200)]


def test_another_vocabulary_is_refused():
    with pytest.raises(ModelFileError, match="has 110 tokens, but an MPNet of 300 embeddings needs BERT's uncased"):
        as_bert(checkpoint(rows=300), {}, VOCABULARY)
    with pytest.raises(ModelFileError, match=r"with \[PAD\], \[CLS\], \[SEP\]"):
        as_bert(checkpoint(), {}, {f"token {i}": i for i in range(ROWS)})
