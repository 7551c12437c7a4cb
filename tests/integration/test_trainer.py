"""Training end to end with a tiny BERT made on the spot: it learns, resumes exactly, stops, and says what is wrong."""

from __future__ import annotations

import json

import pytest
from tiny_reader import encoder, squad_file

from twosup_chain.cli import main
from twosup_chain.errors import ConfigurationError, InputError, ModelFileError
from twosup_chain.training.checkpoint import load_model
from twosup_chain.training.log import read_log
from twosup_chain.training.options import MixtureOptions, TrainerOptions
from twosup_chain.training.trainer import Trainer

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    folder = tmp_path_factory.mktemp("material")
    return encoder(folder / "encoder"), squad_file(folder / "things.json")


def trainer(material, out, **changed):
    model, file = material
    options = {"epochs": 2, "learning_rate": 3e-3, "batch_size": 16, "max_length": 96, "stride": 16, "device": "cpu"}
    options |= {"evaluate_every": 10, "save_every": 10, "threads": 1, "seed": 7, **changed}
    mixture = MixtureOptions(files=(file,), held_out=0.2, unanswerable_share=0.5, seed=7)
    return Trainer(TrainerOptions(model=model, out=out, **options), mixture)


class Cut(Exception):  # noqa: N818  it is no error of the trainer's
    """The power goes off."""


def cut_at(step):
    def report(entry):
        if entry["event"] == "train" and entry["step"] == step:
            raise Cut

    return report


def weights(folder):
    return load_model(folder).state_dict()


def test_training_learns_and_leaves_its_folders(material, tmp_path):
    entries = []
    found = trainer(material, tmp_path / "run", epochs=4).run(entries.append)
    assert found.exact > 0.9
    assert found.auroc > 0.9
    first = next(e for e in entries if e["event"] == "evaluation")
    assert first["step"] == 0
    assert found.auroc > first["auroc"]
    assert entries == read_log(tmp_path / "run" / "log.jsonl")
    final = tmp_path / "run" / "final"
    assert sorted(path.name for path in final.iterdir()) == ["config.json", "model.safetensors", "tokenizer.json"]
    assert json.loads((final / "config.json").read_text())["architectures"] == ["BertForQuestionAnswering"]
    held_out = json.loads((tmp_path / "run" / "held_out.json").read_text())
    assert sum(len(p["qas"]) for p in held_out["data"][0]["paragraphs"]) == found.questions


def test_resumed_run_equals_an_uninterrupted_one(material, tmp_path):
    whole = trainer(material, tmp_path / "whole", epochs=2, save_every=8)
    whole.run()
    with pytest.raises(Cut):
        trainer(material, tmp_path / "cut", epochs=2, save_every=8).run(cut_at(20))
    resumed = trainer(material, tmp_path / "cut", epochs=2, save_every=8)
    assert resumed.progress.step == 16
    resumed.run()
    expected, found = weights(tmp_path / "whole" / "final"), weights(tmp_path / "cut" / "final")
    assert all(torch.equal(expected[name], found[name]) for name in expected)
    losses = [
        [(e["step"], e["loss"]) for e in read_log(tmp_path / name / "log.jsonl") if e["event"] == "train"]
        for name in ("whole", "cut")
    ]
    assert losses[0][-1] == losses[1][-1]


def test_checkpoint_whose_replacement_was_cut_short_is_found(material, tmp_path):
    done = trainer(material, tmp_path, epochs=1)
    done.run()
    (tmp_path / "last").rename(tmp_path / "last.old")
    assert trainer(material, tmp_path, epochs=1).progress.step >= done.steps - 10


def test_other_seed_gives_other_weights(material, tmp_path):
    for seed in (1, 2):
        trainer(material, tmp_path / str(seed), epochs=1, seed=seed).run()
    first, second = (weights(tmp_path / str(seed) / "final") for seed in (1, 2))
    assert not all(torch.equal(first[name], second[name]) for name in first)


def test_finished_run_is_not_trained_further(material, tmp_path):
    trainer(material, tmp_path, epochs=1, save_every=1).run()
    again = trainer(material, tmp_path, epochs=1, save_every=1)
    assert again.progress.step == again.steps
    before = weights(tmp_path / "last")
    again.run()
    assert all(torch.equal(value, before[name]) for name, value in weights(tmp_path / "last").items())


def test_resuming_with_other_options_is_refused_and_names_them(material, tmp_path):
    trainer(material, tmp_path, epochs=1).run()
    with pytest.raises(ConfigurationError, match=r"other options \(learning_rate\)"):
        trainer(material, tmp_path, epochs=1, learning_rate=1e-3)


def test_training_stops_early_without_gain(material, tmp_path):
    run = trainer(material, tmp_path, epochs=50, learning_rate=1e-12, evaluate_every=2, patience=3)
    run.run()
    assert run.progress.step < run.steps / 2
    assert run.progress.since_best == 3
    again = trainer(material, tmp_path, epochs=50, learning_rate=1e-12, evaluate_every=2, patience=3)
    again.run()
    assert again.progress.step == run.progress.step


def test_max_steps_end_the_run_and_the_learning_rate(material, tmp_path):
    run = trainer(material, tmp_path, epochs=10_000, max_steps=7)
    run.run()
    assert (run.steps, run.progress.step, run.share) == (7, 7, 1.0)
    rates = [group["lr"] for group in run.optimizer.param_groups]
    assert 0 < max(rates) < run.options.learning_rate / 3


def test_minutes_end_the_run_and_the_learning_rate(material, tmp_path):
    run = trainer(material, tmp_path, epochs=10_000, minutes=0.03)
    run.run()
    assert 0 < run.progress.step < run.steps
    assert run.progress.seconds >= 0.03 * 60
    assert run.share == 1.0
    assert run._rate() == 0.0


def test_frozen_embeddings_stay_as_they_were(material, tmp_path):
    trainer(material, tmp_path, epochs=1, freeze_embeddings=True).run()
    name = "bert.embeddings.word_embeddings.weight"
    before = transformers.BertModel.from_pretrained(material[0]).state_dict()["embeddings.word_embeddings.weight"]
    assert torch.equal(weights(tmp_path / "final")[name], before.half().float())


def test_frozen_layers_and_the_embeddings_below_them_stay_as_they_were(material, tmp_path):
    trainer(material, tmp_path, epochs=1, freeze_layers=1).run()
    before = transformers.BertModel.from_pretrained(material[0]).state_dict()
    after = weights(tmp_path / "final")
    same = {
        name
        for name in before
        if f"bert.{name}" in after and torch.equal(after[f"bert.{name}"], before[name].half().float())
    }
    assert {name for name in same if name.endswith("dense.weight")} == {
        name for name in before if name.startswith("encoder.layer.0.") and name.endswith("dense.weight")
    }
    assert "embeddings.word_embeddings.weight" in same


def test_bfloat16_training_runs_and_keeps_float32_weights(material, tmp_path):
    run = trainer(material, tmp_path, epochs=1, half_precision=True)
    run.run()
    assert {parameter.dtype for parameter in run.model.parameters()} == {torch.float32}


def test_folder_without_a_model_is_refused(material, tmp_path):
    with pytest.raises(ModelFileError, match=r"lacks config\.json"):
        trainer((tmp_path, material[1]), tmp_path / "run")


def test_file_that_is_no_model_is_refused(material, tmp_path):
    broken = encoder(tmp_path / "encoder")
    (broken / "model.safetensors").write_bytes(b"not a model")
    with pytest.raises(ModelFileError, match="no BERT model"):
        trainer((broken, material[1]), tmp_path / "run")


def test_window_longer_than_the_model_takes_is_refused(material, tmp_path):
    with pytest.raises(ConfigurationError, match="max_length=256 is more than the model's 128 positions"):
        trainer(material, tmp_path, max_length=256)


@pytest.mark.parametrize(
    "bad",
    [
        {"stride": 29},
        {"epochs": 0},
        {"learning_rate": 0.0},
        {"warmup": 1.0},
        {"minutes": -1},
        {"max_steps": 0},
        {"freeze_layers": 3},
    ],
)
def test_option_out_of_range_names_itself_and_its_value(material, tmp_path, bad):
    ((name, value),) = bad.items()
    with pytest.raises(ConfigurationError, match=f"{name}={value}"):
        trainer(material, tmp_path, **bad)


@pytest.mark.parametrize(("held_out", "words"), [(0.0, "held out: 0 answerable and 0 un"), (0.999, "to train on: 0")])
def test_part_without_both_kinds_of_questions_is_refused(material, tmp_path, held_out, words):
    options = TrainerOptions(model=material[0], out=tmp_path, max_length=96, stride=16)
    with pytest.raises(InputError, match=words):
        Trainer(options, MixtureOptions(files=(material[1],), held_out=held_out))


def test_encoder_with_missing_weights_is_refused(material, tmp_path):
    from safetensors.torch import load_file, save_file

    broken = encoder(tmp_path / "encoder")
    read = load_file(broken / "model.safetensors")
    save_file({k: v for k, v in read.items() if "layer.1.output.dense.weight" not in k}, broken / "model.safetensors")
    with pytest.raises(ModelFileError, match="1 weights are missing"):
        load_model(broken)


def test_command_line_trains_and_shows_the_figures(material, tmp_path, capsys, monkeypatch):
    model, file = material
    arguments = [
        "twosup",
        "train-reader",
        str(tmp_path / "run"),
        "--model",
        str(model),
        "--file",
        str(file),
        "--held-out",
        "0.2",
    ]
    arguments += ["--passage-negatives", "0", "--epochs", "1", "--max-length", "96", "--stride", "16", "--threads", "1"]
    monkeypatch.setattr("sys.argv", arguments)
    with pytest.raises(SystemExit) as caught:
        main()
    assert not caught.value.code
    assert "auroc" in capsys.readouterr().err
    assert (tmp_path / "run" / "final" / "model.safetensors").is_file()
