"""The command line of the training: what it asks for, and how bad input ends."""

from __future__ import annotations

import pytest

from twosup_chain.errors import MissingExtraError
from twosup_chain.training import trainer
from twosup_chain.training.options import MixtureOptions, TrainerOptions
from twosup_chain.training.trainer import Trainer


@pytest.fixture
def asked(twosup, monkeypatch):
    """Returns a function that runs the command without training, and returns the options that it would train by."""

    def run(*options):
        class Found(Exception):  # noqa: N818
            pass

        def stop(*given):
            raise Found(*given)

        monkeypatch.setattr(trainer, "Trainer", stop)
        result = twosup("train-reader", "run", "--model", "m", "--file", "f.json", *options)
        assert result.stderr.startswith("error: Found: "), result.output
        return result.stderr

    return run


def test_the_defaults_are_those_of_the_options_themselves(asked):
    shown = asked()
    assert str(TrainerOptions(model="m", out="run").learning_rate) in shown
    assert "unanswerable_share=0.45" in shown


def test_files_sources_and_the_seed_reach_both_kinds_of_options(asked):
    shown = asked("--file", "g.json", "--extra", "e.json", "--source", "Wiki=new=0.5", "--seed", "7", "--bf16")
    assert "files=(PosixPath('f.json'), PosixPath('g.json'))" in shown
    assert "sources={'Wiki=new': 0.5}" in shown
    assert shown.count("seed=7") == 2
    assert "half_precision=True" in shown


@pytest.mark.parametrize("item", ["Wiki", "Wiki=much", ""])
def test_a_source_without_a_share_is_named(twosup, item):
    result = twosup("train-reader", "run", "--model", "m", "--file", "f.json", "--source", item)
    assert result.exit_code == 2
    assert f"{item!r} is not NAME=NUMBER" in result.stderr


def test_missing_torch_names_the_extra(monkeypatch, tmp_path):
    monkeypatch.setattr("twosup_chain.training.trainer.find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'twosup-chain\[train\]'"):
        Trainer(TrainerOptions(model=tmp_path, out=tmp_path), MixtureOptions(files=(tmp_path,)))
