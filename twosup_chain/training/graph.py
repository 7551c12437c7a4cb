"""A BERT or MPNet question-answering checkpoint as an ONNX graph, in float32 or int8.

The graph is written node by node (Devlin et al. 2019, doi:10.18653/v1/N19-1423; Vaswani et al. 2017, section 3.2), so
that it holds what the reader needs and nothing else: no attention mask (no window is ever padded), int8 embeddings with
a scale a row. The int8 matrix products are ONNX Runtime's own operator, which quantises, multiplies and scales in one
go.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from twosup_chain.errors import MissingExtraError, ModelFileError
from twosup_chain.training.mpnet import DISTANCES

if TYPE_CHECKING:
    import onnx


Array = NDArray[Any]

_OPSET, _IR_VERSION = 20, 9
#: The largest magnitude of an int8 weight that is multiplied. A processor without VNNI adds products of unsigned
#: activations and signed weights in pairs of 16 bits: 2 · 255 · 64 is the most that fits, so nothing saturates. What is
#: left between processors is float32 rounding, which turns an activation's int8 rounding here and there: one unit in
#: the last place of the position table moves answerability by 0.01 at most on 100 questions, and by 0.0008 on average.
_MOST = 64
#: GELU never falls below -0.17: a token whose values are all smaller than that has nothing to be scaled up.
_LEAST_REACH = 0.17


def build_graph(
    weights: Mapping[str, Array],
    config: Mapping[str, Any],
    *,
    int8: bool,
    smoothing: Mapping[str, Array] | None = None,
    tapped: Collection[str] = (),
) -> onnx.ModelProto:
    """Returns the model: ``input_ids`` and ``token_type_ids`` in, ``start_logits`` and ``end_logits`` out.

    Args:
        weights: The checkpoint's tensors by their names in transformers' ``BertForQuestionAnswering``, in float32;
            an MPNet's as `mpnet.as_bert` gives them.
        config: The checkpoint's ``config.json``.
        int8: Whether the matrices of the encoder and the embeddings become int8, one scale an output channel; those
            that are multiplied within ±64, so that no processor's products saturate. Activations are then
            quantised as they come (uint8, one scale a tensor), the feed-forward networks' inner ones after each token
            is divided by its largest: a few loud tokens would cost all others their precision.
            The span head, which is tiny, stays in float32.
        smoothing: Factors by the names of dense layers, one a channel of the layer's input: the input is divided by
            them and the layer's weights are multiplied, which changes nothing but the rounding.
        tapped: Names of dense layers whose inputs become outputs of the model too, each as ``NAME.input``.
    """
    try:
        import onnx
    except ImportError as error:
        raise MissingExtraError("export", "onnx", "train") from error
    if config.get("hidden_act") != "gelu":
        raise ModelFileError(f"hidden_act={config.get('hidden_act')!r}: export knows 'gelu' only")
    try:
        return _Builder(onnx, weights, config, int8, smoothing or {}, tapped).build()
    except KeyError as error:
        raise ModelFileError(f"the checkpoint has no {error}: export takes a BertForQuestionAnswering") from error


@dataclass
class _Builder:
    """Collects the nodes and tensors of one graph; a method adds a layer and returns its output's name."""

    onnx: Any
    weights: Mapping[str, Array]
    config: Mapping[str, Any]
    int8: bool
    smoothing: Mapping[str, Array]
    tapped: Collection[str]
    nodes: list[Any] = field(default_factory=list)
    tensors: dict[str, Any] = field(default_factory=dict)

    def build(self) -> Any:
        helper, kind = self.onnx.helper, self.onnx.TensorProto
        hidden, bias = self.embeddings(), self.attention_bias()
        for layer in range(self.config["num_hidden_layers"]):
            hidden = self.layer(hidden, f"bert.encoder.layer.{layer}.", bias)
        head = self.tensor("head.weight", self.weights["qa_outputs.weight"].T)
        logits = self.add(self.op("MatMul", [hidden, head]), "head.bias", self.weights["qa_outputs.bias"])
        outputs, last = ("start_logits", "end_logits"), self.tensor("last_axis", np.array([-1]))
        for name, half in zip(outputs, self.ops("Split", [logits], 2, axis=-1, num_outputs=2), strict=True):
            self.nodes.append(helper.make_node("Squeeze", [half, last], [name]))
        shape, value = ["windows", "tokens"], helper.make_tensor_value_info
        given = [value(name, kind.INT64, shape) for name in ("input_ids", "token_type_ids")]
        found = [value(name, kind.FLOAT, shape) for name in outputs]
        found += [value(f"{name}.input", kind.FLOAT, [*shape, "channels"]) for name in self.tapped]
        graph = helper.make_graph(self.nodes, "reader", given, found, list(self.tensors.values()))
        opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid("com.microsoft", 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION, producer_name="twosup-chain")

    def embeddings(self) -> str:
        """Word, position and, where the model has any, token type embeddings, added and normalised."""
        at = "bert.embeddings."
        table = self.weights[at + "word_embeddings.weight"]
        if self.int8:
            quantised, scales = _quantise(table.T, 127)
            rows = self.op("Gather", [self.tensor("words", quantised.T), "input_ids"])
            scale = self.op("Gather", [self.tensor("words.scale", scales[:, None]), "input_ids"])
            words = self.op("Mul", [self.op("Cast", [rows], to=self.onnx.TensorProto.FLOAT), scale])
        else:
            words = self.op("Gather", [self.tensor("words", table), "input_ids"])
        positions = self.tensor("positions", self.weights[at + "position_embeddings.weight"])
        zero, length = self.tensor("zero", np.array([0])), self.op("Shape", ["input_ids"], start=1, end=2)
        found = self.op("Add", [words, self.op("Slice", [positions, zero, length, zero])])
        if (kinds := self.weights.get(at + "token_type_embeddings.weight")) is not None:
            found = self.op("Add", [found, self.op("Gather", [self.tensor("types", kinds), "token_type_ids"])])
        return self.norm(found, at + "LayerNorm")

    def attention_bias(self) -> str:
        """What each token's attention to each other gets by their distance; empty where the model has no such bias."""
        if (by_distance := self.weights.get(DISTANCES)) is None:
            return ""
        zero, one = (self.tensor(name, np.array(value)) for name, value in (("0", 0), ("1", 1)))
        length = self.op("Squeeze", [self.op("Shape", ["input_ids"], start=1, end=2)])
        places = self.op("Range", [zero, length, one])
        first, last = (self.tensor(name, np.array([value])) for name, value in (("first_axis", 0), ("last_axis", -1)))
        distances = self.op("Sub", [self.op("Unsqueeze", [places, first]), self.op("Unsqueeze", [places, last])])
        columns = self.op("Add", [distances, self.tensor("middle", np.array(by_distance.shape[1] // 2))])
        bias = self.op("Gather", [self.tensor("distances", by_distance), columns], axis=1)
        return self.op("Unsqueeze", [bias, first])

    def layer(self, hidden: str, at: str, bias: str) -> str:
        """One encoder layer: self-attention and the feed-forward network, each with its residual and norm."""
        attention = at + "attention."
        parts = [self.linear(hidden, f"{attention}self.{name}") for name in ("query", "key", "value")]
        heads = self.config["num_attention_heads"]
        if bias:
            parts += ["", "", bias]
        context = self.op("MultiHeadAttention", parts, domain="com.microsoft", num_heads=heads)
        out = self.linear(context, attention + "output.dense")
        hidden = self.norm(self.op("Add", [out, hidden]), attention + "output.LayerNorm")
        inner = self.op("Gelu", [self.linear(hidden, at + "intermediate.dense")])
        out = self.linear(inner, at + "output.dense", by_token=True)
        return self.norm(self.op("Add", [out, hidden]), at + "output.LayerNorm")

    def linear(self, value: str, name: str, *, by_token: bool = False) -> str:
        """A dense layer; in int8, `by_token` scales each token of a GELU's output to the same maximum beforehand."""
        matrix, bias = self.weights[name + ".weight"].T, self.weights[name + ".bias"]
        if name in self.tapped:
            self.nodes.append(self.onnx.helper.make_node("Identity", [value], [f"{name}.input"]))
        if name in self.smoothing:
            factors = self.smoothing[name].astype(np.float32)
            matrix = matrix * factors[:, None]
            value = self.op("Mul", [value, self.tensor(name + ".smoothing", 1 / factors)])
        if not self.int8:
            return self.add(self.op("MatMul", [value, self.tensor(name + ".weight", matrix)]), name + ".bias", bias)
        quantised, scales = _quantise(matrix, _MOST)
        coded, scale = self.tensor(name + ".weight", quantised), self.tensor(name + ".scale", scales)
        if not by_token:
            inputs = [value, coded, scale, "", self.tensor(name + ".bias", bias)]
            return self.op("DynamicQuantizeMatMul", inputs, domain="com.microsoft")
        tallest = self.op("ReduceMax", [value, self.tensor("last_axis", np.array([-1]))], keepdims=1)
        reach = self.op("Max", [tallest, self.tensor("least", np.array(_LEAST_REACH, np.float32))])
        levelled = self.op("Div", [value, reach])
        product = self.op("DynamicQuantizeMatMul", [levelled, coded, scale], domain="com.microsoft")
        return self.add(self.op("Mul", [product, reach]), name + ".bias", bias)

    def norm(self, value: str, name: str) -> str:
        """Layer normalisation over the last axis."""
        gain = self.tensor(name + ".weight", self.weights[name + ".weight"])
        bias = self.tensor(name + ".bias", self.weights[name + ".bias"])
        return self.op("LayerNormalization", [value, gain, bias], axis=-1, epsilon=self.config["layer_norm_eps"])

    def add(self, value: str, name: str, addend: Array) -> str:
        return self.op("Add", [value, self.tensor(name, addend)])

    def tensor(self, name: str, value: Array) -> str:
        """Stores a constant once and returns its name."""
        if name not in self.tensors:
            self.tensors[name] = self.onnx.numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def op(self, kind: str, inputs: Sequence[str], **attributes: Any) -> str:
        return self.ops(kind, inputs, 1, **attributes)[0]

    def ops(self, kind: str, inputs: Sequence[str], outputs: int, **attributes: Any) -> list[str]:
        """Adds a node and returns the names of its outputs."""
        names = [f"{kind}_{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(self.onnx.helper.make_node(kind, inputs, names, **attributes))
        return names


def _quantise(matrix: Array, most: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Returns a matrix of shape (inputs, channels) as integers in ±most, with one scale a channel."""
    scales = np.maximum(np.abs(matrix).max(axis=0), 1e-8) / most
    return np.rint(matrix / scales).astype(np.int8), scales.astype(np.float32)
