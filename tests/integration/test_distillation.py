"""A tiny student learns from a tiny teacher: with labels and without, and exactly resumed."""

from __future__ import annotations

import json

import pytest
from tiny_reader import THINGS, encoder, squad_file, write_tokenizer
from tokenizers import Tokenizer

from twosup_chain.errors import ConfigurationError, ModelFileError
from twosup_chain.training.checkpoint import load_model
from twosup_chain.training.data import read_squad
from twosup_chain.training.features import collate, training_windows
from twosup_chain.training.log import read_log
from twosup_chain.training.loss import soft_loss
from twosup_chain.training.mixture import epoch_rng
from twosup_chain.training.options import MixtureOptions, TrainerOptions
from twosup_chain.training.teacher import SoftLabels, load_teacher
from twosup_chain.training.trainer import Trainer

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

pytestmark = pytest.mark.integration

LABELLED, UNLABELLED = THINGS[:3], THINGS[3:]


class Material:
    """Files of questions, a bare encoder to start from, and a teacher that knows all things."""

    def __init__(self, folder):
        self.encoder = encoder(folder / "encoder")
        self.all = squad_file(folder / "all.json")
        self.labelled = squad_file(folder / "labelled.json", LABELLED)
        self.unlabelled = squad_file(folder / "unlabelled.json", UNLABELLED)
        self.teacher = None
        taught = self.trainer(folder / "taught", files=(self.all,), teacher=None, averaged=0.0, epochs=5)
        taught.run()
        self.teacher = folder / "taught" / "final"

    def trainer(self, out, *, files=None, unlabelled=(), **changed):
        options = {"epochs": 3, "learning_rate": 3e-3, "max_length": 96, "stride": 16, "device": "cpu", "threads": 1}
        options |= {"evaluate_every": 10, "save_every": 8, "batch_tokens": 256, "seed": 7, "averaged": 0.9}
        options |= {"model": self.encoder, "teacher": self.teacher, **changed}
        mixture = MixtureOptions(
            files=files or (self.labelled,), unlabelled=unlabelled, held_out=0.2, unanswerable_share=0.5, seed=7
        )
        return Trainer(TrainerOptions(out=out, **options), mixture)

    def to_teacher(self, trainer):
        """How far a student is from the teacher on the things that have no labels."""
        tokenizer, rng = Tokenizer.from_file(str(self.encoder / "tokenizer.json")), epoch_rng(0, 0, "test")
        windows = training_windows(read_squad(self.unlabelled), tokenizer, max_length=96, stride=16, rng=rng)
        network = load_teacher(self.teacher, self.encoder, torch.device("cpu"))
        with torch.inference_mode():
            labels = SoftLabels(network, windows, trainer._logits, tokens=4096, multiple=16)
            batch = collate(windows, multiple=16)
            return float(soft_loss(trainer._logits(trainer.model.eval(), batch), labels.of(windows, 32), 2.0))


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    return Material(tmp_path_factory.mktemp("material"))


@pytest.fixture(scope="module")
def student(material, tmp_path_factory):
    """A student of labelled questions and of others without labels, its run's folder, and how far it was before."""
    folder = tmp_path_factory.mktemp("student")
    run = material.trainer(folder, unlabelled=(material.unlabelled,))
    before = material.to_teacher(run)
    found = run.run()
    return run, folder, before, found


def test_a_student_comes_near_its_teacher_where_it_has_no_labels(material, student):
    run, folder, before, found = student
    told = [entry["to_teacher"] for entry in read_log(folder / "log.jsonl") if entry["event"] == "train"]
    assert told[-1] < told[0] / 2
    assert material.to_teacher(run) < before / 4
    assert found.exact > 0.9


def test_questions_without_labels_are_learnt_from(material, student, tmp_path):
    run, *_ = student
    alone = material.trainer(tmp_path, max_steps=run.steps, epochs=100)
    alone.run()
    assert material.to_teacher(run) < material.to_teacher(alone) / 2


def test_only_the_teacher_labels_what_has_no_labels(material, student):
    run, *_ = student
    others = [example for example in run.mixture.examples if example.origin == "unlabelled"]
    assert len(others) > 100
    assert {(example.answers, example.weight) for example in others} == {((), 0.0)}


def test_a_resumed_student_equals_an_uninterrupted_one_averaged_weights_included(material, tmp_path):
    whole = material.trainer(tmp_path / "whole", epochs=1)
    whole.run()

    def cut(entry):
        if entry["event"] == "train" and entry["step"] == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        material.trainer(tmp_path / "cut", epochs=1).run(cut)
    resumed = material.trainer(tmp_path / "cut", epochs=1)
    assert 0 < resumed.progress.step < 20
    resumed.run()
    expected, found = (load_model(tmp_path / name / "final").state_dict() for name in ("whole", "cut"))
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_seconds_end_the_run_and_the_learning_rate(material, tmp_path):
    run = material.trainer(tmp_path, epochs=10_000, seconds=0.5)
    run.run()
    assert run.progress.seconds >= 0.5
    assert run.share == 1.0
    assert run._rate() == 0.0


def test_an_mpnet_teacher_says_what_it_says_with_its_own_tokens(material, tmp_path):
    rows = write_tokenizer(tmp_path)
    config = {"vocab_size": rows + 5, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    torch.manual_seed(3)
    model = transformers.MPNetForQuestionAnswering(transformers.MPNetConfig(**config, intermediate_size=16)).eval()
    model.save_pretrained(tmp_path)
    words = json.loads((tmp_path / "tokenizer.json").read_text())["model"]["vocab"]
    own = [words[word] for word in ("[CLS]", "what", "[SEP]", "door", "[SEP]", "[PAD]")]
    theirs = [0, words["what"] + 4, 2, words["door"] + 4, 2, 1]
    mask = torch.tensor([[1, 1, 1, 1, 1, 0]])
    teacher = load_teacher(tmp_path, material.encoder, torch.device("cpu"))
    found = teacher(input_ids=torch.tensor([own]), token_type_ids=mask, attention_mask=mask)
    expected = model(input_ids=torch.tensor([theirs]), attention_mask=mask)
    assert torch.equal(found.start_logits, expected.start_logits)


def test_a_teacher_without_a_head_is_refused(material, tmp_path):
    with pytest.raises(ModelFileError, match=r"2 weights are missing, qa_outputs"):
        material.trainer(tmp_path, teacher=encoder(tmp_path / "bare"))


def test_a_teacher_of_other_tokens_is_refused(material, tmp_path):
    other = encoder(tmp_path / "other")
    text = (other / "tokenizer.json").read_text()
    (other / "tokenizer.json").write_text(text.replace('"door"', '"window"'))
    with pytest.raises(ConfigurationError, match="must share a vocabulary"):
        material.trainer(tmp_path / "run", teacher=other)


def test_questions_without_labels_need_a_teacher(material, tmp_path):
    with pytest.raises(ConfigurationError, match="unlabelled questions need a teacher"):
        material.trainer(tmp_path, teacher=None, unlabelled=(material.unlabelled,))
