"""From a checkpoint to a folder that the reader loads: a tiny BERT of random weights, checked against transformers."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

from twosup_chain import ExtractiveReader, QAInput
from twosup_chain.errors import ConfigurationError, ModelFileError
from twosup_chain.reader.engine import ModelInput, ReaderEngine
from twosup_chain.reader.folder import PACKAGED_MODEL
from twosup_chain.text.questions import LabelledQuestion
from twosup_chain.text.squad import f1
from twosup_chain.training import graph
from twosup_chain.training.export import export_reader, sample
from twosup_chain.training.graph import build_graph
from twosup_chain.training.smoothing import channel_ranges, smoothing_factors

pytest.importorskip("onnx")
numpy_tensors = pytest.importorskip("safetensors.numpy")
pytestmark = pytest.mark.integration

CONFIG = {
    "hidden_act": "gelu",
    "hidden_size": 32,
    "intermediate_size": 64,
    "layer_norm_eps": 1e-12,
    "max_position_embeddings": 128,
    "model_type": "bert",
    "num_attention_heads": 4,
    "num_hidden_layers": 2,
    "type_vocab_size": 2,
    "vocab_size": 30522,
}


def random_weights(rng):
    hidden, inner = CONFIG["hidden_size"], CONFIG["intermediate_size"]
    shapes = {
        f"embeddings.{name}_embeddings.weight": (CONFIG[size], hidden)
        for name, size in (
            ("word", "vocab_size"),
            ("position", "max_position_embeddings"),
            ("token_type", "type_vocab_size"),
        )
    }
    norms = ["embeddings.LayerNorm"]
    for i in range(CONFIG["num_hidden_layers"]):
        at = f"encoder.layer.{i}."
        dense = {
            **{f"attention.self.{name}": (hidden, hidden) for name in ("query", "key", "value")},
            "attention.output.dense": (hidden, hidden),
            "intermediate.dense": (inner, hidden),
            "output.dense": (hidden, inner),
        }
        for name, shape in dense.items():
            shapes |= {f"{at}{name}.weight": shape, f"{at}{name}.bias": shape[:1]}
        norms += [f"{at}attention.output.LayerNorm", f"{at}output.LayerNorm"]
    weights = {f"bert.{name}": rng.normal(0, 0.3, shape) for name, shape in shapes.items()}
    for name in norms:
        weights |= {f"bert.{name}.weight": rng.normal(1, 0.1, hidden), f"bert.{name}.bias": rng.normal(0, 0.1, hidden)}
    weights |= {"qa_outputs.weight": rng.normal(0, 0.3, (2, hidden)), "qa_outputs.bias": rng.normal(0, 0.1, 2)}
    return {name: value.astype(np.float32) for name, value in weights.items()}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoint")
    numpy_tensors.save_file(random_weights(np.random.default_rng(0)), folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(CONFIG))
    shutil.copy(PACKAGED_MODEL / "tokenizer.json", folder)
    return folder


def questions(n):
    return [
        LabelledQuestion(
            id=str(i),
            question=f"Where did traveller {i} go?",
            context=f"Traveller {i} went to {place} by {'very ' * (i % 7)}slow train in {1900 + i}.",
            answers=(place,) if i % 2 else (),
            is_impossible=not i % 2,
        )
        for i, place in zip(range(n), ("Rome", "Oslo", "Lima", "Quito", "Accra") * n, strict=False)
    ]


@pytest.fixture(scope="module", params=[True, False], ids=["int8", "float32"])
def exported(request, checkpoint, tmp_path_factory):
    out = tmp_path_factory.mktemp("exported")
    return export_reader(checkpoint, out, questions(40), name="tiny", int8=request.param)


def test_the_exported_folder_answers_in_a_batch_as_it_does_alone(exported):
    reader = ExtractiveReader(model=exported, max_length=128, stride=40, max_batch_tokens=512, no_answer_below=0)
    inputs = [question.as_input() for question in questions(30)]
    inputs.append(QAInput(question="What is long?", context=["word " * 500, "short"]))
    together = reader.answer_many(inputs)
    alone = [reader.answer_many([item])[0] for item in inputs]
    for one, other in zip(together, alone, strict=True):
        assert one.text == other.text is not None
        assert one.model.startswith("tiny@")
        assert one.scores == pytest.approx(other.scores, abs=1e-4)


def test_the_exported_reader_answers_where_a_span_is_worth_more_than_no_answer(exported):
    asked = questions(40)
    inputs = [question.as_input() for question in asked]
    forced = ExtractiveReader(model=exported, no_answer_below=0, max_length=128, stride=40).answer_many(inputs)
    worth = np.mean([f1(a.text, q.answers) for a, q in zip(forced, asked, strict=True) if q.answers])
    threshold = json.loads((exported / "config.json").read_text())["no_answer_below"]
    assert threshold == pytest.approx(1 / (1 + worth))
    for own, best in zip(
        ExtractiveReader(model=exported, max_length=128, stride=40).answer_many(inputs), forced, strict=True
    ):
        assert own.text == (best.text if own.scores["answerability"] >= threshold else None)


def test_int8_windows_never_share_a_run_and_float_ones_do(exported, monkeypatch):
    from twosup_chain.reader import engine as _engine

    sizes = []
    original = _engine._run
    monkeypatch.setattr(_engine, "_run", lambda session, items: (sizes.append(len(items)), original(session, items))[1])
    engine = ReaderEngine(exported)
    items = [ModelInput(np.full(n, 7), np.zeros(n, np.int64)) for n in (5, 9, 5, 5)]
    found = list(engine.logits(items))
    assert [len(logits.start) for logits in found] == [5, 9, 5, 5]
    assert sorted(sizes) == ([1, 3] if engine.config.stackable else [1, 1, 1, 1])


def test_the_graph_computes_what_transformers_computes(checkpoint):
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    import onnxruntime

    weights = random_weights(np.random.default_rng(0))
    model = transformers.BertForQuestionAnswering(transformers.BertConfig(**CONFIG)).eval()
    missing = model.load_state_dict({name: torch.tensor(value) for name, value in weights.items()}, strict=False)
    assert not missing.unexpected_keys
    ids = np.random.default_rng(1).integers(1000, 20000, (3, 50))
    types = (np.arange(50) > 10).astype(np.int64)[None].repeat(3, axis=0)
    with torch.no_grad():
        expected = model(input_ids=torch.tensor(ids), token_type_ids=torch.tensor(types))
    for int8, tolerance in ((False, 1e-4), (True, 0.5)):
        model = build_graph(weights, CONFIG, int8=int8)
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        start, end = session.run(["start_logits", "end_logits"], {"input_ids": ids, "token_type_ids": types})
        assert np.abs(start - expected.start_logits.numpy()).max() < tolerance
        assert np.abs(end - expected.end_logits.numpy()).max() < tolerance
        assert np.corrcoef(start.ravel(), expected.start_logits.numpy().ravel())[0, 1] > 0.99


def with_towering_channels(weights):
    """A few channels that enter the feed-forward networks are thirty times as large, and their weights as small."""
    changed = dict(weights)
    tall = np.ones(CONFIG["hidden_size"], np.float32)
    tall[[3, 20]] = 30.0
    for layer in range(CONFIG["num_hidden_layers"]):
        at = f"bert.encoder.layer.{layer}."
        for part in ("weight", "bias"):
            name = f"{at}attention.output.LayerNorm.{part}"
            changed[name] = weights[name] * tall
        changed[at + "intermediate.dense.weight"] = weights[at + "intermediate.dense.weight"] / tall
    return changed


def dense(weight, value, *, by_token):
    """What one int8 dense layer makes of a value."""
    import onnx
    import onnxruntime

    weights = {"dense.weight": weight, "dense.bias": np.ones(len(weight), np.float32)}
    builder = graph._Builder(onnx, weights, CONFIG, int8=True, smoothing={}, tapped=())
    out = builder.linear("x", "dense", by_token=by_token)
    infos = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in ("x", out)]
    body = onnx.helper.make_graph(builder.nodes, "dense", infos[:1], infos[1:], list(builder.tensors.values()))
    opsets = [onnx.helper.make_opsetid("", 20), onnx.helper.make_opsetid("com.microsoft", 1)]
    model = onnx.helper.make_model(body, opset_imports=opsets, ir_version=9)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": value})[0]


def logits(weights, windows, **options):
    import onnxruntime

    model = build_graph(weights, CONFIG, **options)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    feeds = [{"input_ids": np.array([ids]), "token_type_ids": np.array([types])} for ids, types in windows]
    return np.concatenate([np.concatenate(session.run(None, feed), axis=1)[0] for feed in feeds])


@pytest.fixture(scope="module")
def windows():
    rng = np.random.default_rng(2)
    return [(rng.integers(1000, 20000, n).tolist(), [0] * 8 + [1] * (n - 8)) for n in (30, 50, 64, 90)]


def test_smoothing_changes_nothing_in_float32_and_makes_int8_more_exact(windows):
    weights = with_towering_channels(random_weights(np.random.default_rng(0)))
    factors = smoothing_factors(weights, CONFIG, windows[:2])
    exact = logits(weights, windows, int8=False)
    assert logits(weights, windows, int8=False, smoothing=factors) == pytest.approx(exact, abs=1e-3)
    plain, smoothed = (
        np.sqrt(np.mean((logits(weights, windows, int8=True, smoothing=some) - exact) ** 2)) for some in (None, factors)
    )
    assert smoothed < 0.7 * plain


def test_loud_tokens_do_not_cost_the_others_their_precision():
    rng = np.random.default_rng(0)
    weight = rng.normal(0, 1, (32, 64)).astype(np.float32)
    value = np.abs(rng.normal(0, 1, (1, 20, 64))).astype(np.float32)
    value[0, :3] *= 100
    value[0, 9] = -0.1  # a token without a single positive value
    exact = value @ weight.T + 1
    errors = [np.abs(dense(weight, value, by_token=by_token) - exact)[0, 3:].mean() for by_token in (False, True)]
    assert errors[1] < errors[0] / 20
    assert np.abs(dense(weight, value, by_token=True) - exact).max() < 0.03 * np.abs(exact).max()


def test_smoothing_is_reproducible_and_evens_out_the_ranges(windows):
    weights = with_towering_channels(random_weights(np.random.default_rng(0)))
    factors = smoothing_factors(weights, CONFIG, windows)
    again = smoothing_factors(weights, CONFIG, windows)
    assert factors.keys() == {f"bert.encoder.layer.{i}.intermediate.dense" for i in (0, 1)}
    for name, reach in channel_ranges(weights, CONFIG, windows).items():
        assert np.array_equal(factors[name], again[name])
        assert np.log(factors[name]).mean() == pytest.approx(0.0, abs=1e-4)
        assert np.log(reach / factors[name] + 1e-9).std() < np.log(reach + 1e-9).std()


def test_what_is_no_checkpoint_is_refused_by_name(checkpoint, tmp_path):
    with pytest.raises(ModelFileError, match="is no checkpoint with config.json, model.safetensors and tokenizer.json"):
        export_reader(tmp_path, tmp_path / "out", questions(4))
    weights = random_weights(np.random.default_rng(0))
    del weights["qa_outputs.weight"]
    with pytest.raises(ModelFileError, match=r"has no 'qa_outputs.weight': export takes a BertForQuestionAnswering"):
        build_graph(weights, CONFIG, int8=True)
    with pytest.raises(ModelFileError, match="hidden_act='relu'"):
        build_graph(weights, {**CONFIG, "hidden_act": "relu"}, int8=True)
    with pytest.raises(ConfigurationError, match="0 of 2 are answerable"):
        export_reader(checkpoint, tmp_path / "out", [q for q in questions(4) if q.is_impossible])


def test_an_export_that_fails_leaves_no_reader_behind(checkpoint, tmp_path):
    out = export_reader(checkpoint, tmp_path / "out", questions(4))
    assert (out / "config.json").is_file()
    with pytest.raises(ConfigurationError, match="0 of 2 are answerable"):
        export_reader(checkpoint, out, [q for q in questions(4) if q.is_impossible])
    with pytest.raises(ModelFileError, match="there is no such file|No such file"):
        ExtractiveReader(model=out, max_length=128).invoke({"question": "Who?", "context": "Ada"})
    with pytest.raises(ConfigurationError, match="is the checkpoint's own folder"):
        export_reader(checkpoint, checkpoint, questions(4))
    assert (checkpoint / "config.json").is_file()
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="cannot write to .*file"):
        export_reader(checkpoint, tmp_path / "file", questions(4))


def test_the_command_exports_a_reader_that_the_other_command_measures(checkpoint, tmp_path):
    lines = [{"id": q.id, "question": q.question, "context": q.context, "answers": q.answers} for q in questions(30)]
    (tmp_path / "q.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    command = [sys.executable, "-c", "from twosup_chain.cli import main; main()"]
    export = [
        "export-reader",
        str(checkpoint),
        "mine",
        "--calibrate",
        "q.jsonl",
        "--count",
        "20",
        "--name",
        "mine",
        "--json",
    ]
    done = subprocess.run([*command, *export], capture_output=True, text=True, check=True, cwd=tmp_path)
    found = json.loads(done.stdout)
    assert found["model"].startswith("mine@")
    assert found["calibrated_on"] == 20
    reader = ExtractiveReader(model=tmp_path / "mine", max_length=128, stride=40)
    assert reader.invoke(questions(1)[0].as_input()).model == found["model"]
    measure = ["evaluate-reader", "q.jsonl", "--model", "mine"]
    done = subprocess.run([*command, *measure, "--json"], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert (json.loads(done.stdout)["model"], json.loads(done.stdout)["questions"]) == (found["model"], 30)


def test_a_sample_is_reproducible_and_never_larger_than_the_file():
    examples = questions(10)
    assert sample(examples, 4, seed=1) == sample(examples, 4, seed=1) != sample(examples, 4, seed=2)
    assert sample(examples, 99) == sample(examples, None) == examples
