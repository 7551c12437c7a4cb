"""An MPNet checkpoint becomes a reader: a tiny one of random weights, checked against transformers."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from twosup_chain import ExtractiveReader
from twosup_chain.reader.folder import PACKAGED_MODEL
from twosup_chain.text.questions import LabelledQuestion
from twosup_chain.training.export import export_reader
from twosup_chain.training.graph import build_graph
from twosup_chain.training.weights import read_checkpoint

pytest.importorskip("onnx")
torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytestmark = pytest.mark.integration

CONFIG = {
    "hidden_act": "gelu",
    "hidden_size": 32,
    "intermediate_size": 64,
    "layer_norm_eps": 1e-5,
    "max_position_embeddings": 302,
    "model_type": "mpnet",
    "num_attention_heads": 4,
    "num_hidden_layers": 2,
    "relative_attention_num_buckets": 32,
    "vocab_size": 30527,
}


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    model = transformers.MPNetForQuestionAnswering(transformers.MPNetConfig(**CONFIG)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.3)
    return model


@pytest.fixture(scope="module")
def checkpoint(model, tmp_path_factory):
    """Its matrices as int8 with a scale a row, which the model takes over, and the rest in float16."""
    folder = tmp_path_factory.mktemp("checkpoint")
    held = {}
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            value = tensor.numpy()
            if value.ndim == 2 and "relative" not in name:
                scale = np.abs(value).max(axis=1) / 127
                held[f"{name}|q"] = np.rint(value / scale[:, None]).astype(np.int8)
                held[f"{name}|s"] = scale.astype(np.float32)
                tensor.copy_(torch.tensor(held[f"{name}|q"] * held[f"{name}|s"][:, None]))
            else:
                held[name] = value.astype(np.float16)
                tensor.copy_(torch.tensor(held[name].astype(np.float32)))
    np.savez(folder / "weights.npz", **held)
    (folder / "config.json").write_text(json.dumps(CONFIG))
    shutil.copy(PACKAGED_MODEL / "tokenizer.json", folder)
    return folder


def test_the_graph_computes_what_transformers_computes(model, checkpoint):
    import onnxruntime

    config, weights, _ = read_checkpoint(checkpoint)
    rng = np.random.default_rng(1)
    for n in (9, 299):  # below and beyond the farthest bucket
        words = rng.integers(1000, 20000, n)
        ids = np.array([[101, *words[:4], 102, *words[4:-2], 102]])
        theirs = np.array([[0, *(words[:4] + 4), 2, *(words[4:-2] + 4), 2]])
        with torch.no_grad():
            expected = model(input_ids=torch.tensor(theirs))
        for int8, tolerance, alike in ((False, 1e-3, 0.99999), (True, 2.0, 0.9)):
            graph = build_graph(weights, config, int8=int8).SerializeToString()
            session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
            found = session.run(
                ["start_logits", "end_logits"], {"input_ids": ids, "token_type_ids": np.zeros_like(ids)}
            )
            for ours, logits in zip(found, (expected.start_logits, expected.end_logits), strict=True):
                assert np.abs(ours - logits.numpy()).max() < tolerance
                assert np.corrcoef(ours.ravel(), logits.numpy().ravel())[0, 1] > alike


def test_it_reads_as_any_reader_does(checkpoint, tmp_path):
    questions = [
        LabelledQuestion(id=str(i), question=f"Where did {i} go?", context=f"Traveller {i} went to {place}.", **label)
        for i, place in enumerate(("Rome", "Oslo", "Lima", "Quito"))
        for label in ({"answers": (place,), "is_impossible": False}, {"answers": (), "is_impossible": True})
    ]
    export_reader(checkpoint, tmp_path, questions, name="tiny-mpnet")
    reader = ExtractiveReader(model=tmp_path, max_length=128, stride=40, no_answer_below=0)
    answer = reader.invoke({"question": "Where did Ada go?", "context": ["Ada went to Rome. " * 40, "Ada sleeps."]})
    assert answer.text is not None
    assert answer.model == reader.label
    assert answer.model.startswith("tiny-mpnet@")
