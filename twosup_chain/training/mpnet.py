"""An MPNet question-answering checkpoint in the terms of a BERT one, which the graph builder and the reader know.

MPNet (Song et al. 2020, NeurIPS, arXiv 2004.09297) is BERT's encoder with a bias on each attention score that depends
on how far apart the two tokens are (Shaw et al. 2018, doi:10.18653/v1/N18-2074, in the buckets of Raffel et al. 2020,
section 2.1), without token types. Its vocabulary is BERT's uncased one: ids are four higher, ``<s>`` stands for [CLS]
and ``</s>`` for [SEP] (one between question and passage), and positions start at two. So the rows of its tables are
put where the ids of a BERT tokenizer find them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from twosup_chain.errors import ModelFileError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Array = NDArray[Any]

#: The bias on attention by distance, shape ``(heads, 2 * positions - 1)``: column ``positions - 1 + j - i`` is what
#: token i's attention to token j gets.
DISTANCES = "bert.encoder.attention_bias_by_distance"
#: The rows of MPNet's own special tokens, by the tokens of a BERT tokenizer that stand for them.
_SPECIAL = {"[PAD]": 1, "[CLS]": 0, "[SEP]": 2}
_SHIFT, _FIRST_POSITION = 4, 2
#: Beyond this distance all share the last bucket.
_FARTHEST = 128
_NAMES = (
    ("mpnet.", "bert."),
    (".attention.attn.q.", ".attention.self.query."),
    (".attention.attn.k.", ".attention.self.key."),
    (".attention.attn.v.", ".attention.self.value."),
    (".attention.attn.o.", ".attention.output.dense."),
    (".attention.LayerNorm.", ".attention.output.LayerNorm."),
)


def as_bert(
    weights: Mapping[str, Array], config: Mapping[str, Any], vocabulary: Mapping[str, int]
) -> tuple[dict[str, Array], dict[str, Any]]:
    """Returns weights and configuration of an ``MPNetForQuestionAnswering`` as a BERT's, with `DISTANCES` among them.

    `vocabulary` holds the ids of the BERT tokenizer's tokens.

    Raises:
        ModelFileError: The vocabulary is not the one that the checkpoint's embeddings are for.
    """
    found = {_renamed(name): value for name, value in weights.items()}
    words, places = (f"bert.embeddings.{kind}_embeddings.weight" for kind in ("word", "position"))
    rows = len(vocabulary)
    if rows + _SHIFT + 1 != len(found[words]) or not _SPECIAL.keys() <= vocabulary.keys():
        raise ModelFileError(
            f"tokenizer.json has {rows} tokens, but an MPNet of {len(found[words])} embeddings needs BERT's uncased "
            f"vocabulary of {len(found[words]) - _SHIFT - 1} with {', '.join(_SPECIAL)}"
        )
    found[words] = found[words][rows_of(vocabulary)]
    found[places] = found[places][_FIRST_POSITION:]
    positions = len(found[places])
    distances = np.arange(1 - positions, positions)
    table = found.pop("bert.encoder.relative_attention_bias.weight")
    found[DISTANCES] = table[_buckets(distances, len(table))].T
    return found, {**config, "model_type": "bert", "vocab_size": rows, "max_position_embeddings": positions}


def rows_of(vocabulary: Mapping[str, int]) -> Array:
    """Returns the ids that an MPNet has for the tokens of a BERT tokenizer, by the tokenizer's own ids."""
    order = np.arange(len(vocabulary)) + _SHIFT
    for token, row in _SPECIAL.items():
        order[vocabulary[token]] = row
    return order


def _renamed(name: str) -> str:
    for theirs, ours in _NAMES:
        name = name.replace(theirs, ours)
    return name


def _buckets(distances: Array, count: int) -> Array:
    """Returns the bucket of each distance: half of them for each side, exact when near, logarithmic farther off."""
    half, exact = count // 2, count // 4
    far = np.abs(distances)
    share = np.log(np.maximum(far, 1).astype(np.float32) / exact) / np.log(_FARTHEST / exact)
    log = np.minimum(exact + (share * (half - exact)).astype(np.int64), half - 1)
    found: Array = np.where(far < exact, far, log) + half * (distances > 0)
    return found
