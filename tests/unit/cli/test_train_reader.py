"""The command line of the training: what it asks for, and how bad input ends."""

from __future__ import annotations

import pytest

from twosup_chain.cli.train_reader import _source, main
from twosup_chain.errors import ConfigurationError, MissingExtraError
from twosup_chain.training.mixture import MixtureOptions
from twosup_chain.training.options import TrainerOptions
from twosup_chain.training.trainer import Trainer


def test_source_is_split_at_its_last_equals_sign():
    assert _source("Wiki=new=0.5") == ("Wiki=new", 0.5)


@pytest.mark.parametrize("item", ["Wiki", "Wiki=much", ""])
def test_source_without_a_share_is_named(item):
    with pytest.raises(ConfigurationError, match="NAME=SHARE"):
        _source(item)


def test_missing_torch_names_the_extra(monkeypatch, tmp_path):
    monkeypatch.setattr("twosup_chain.training.trainer.find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'twosup-chain\[train\]'"):
        Trainer(TrainerOptions(model=tmp_path, out=tmp_path), MixtureOptions(files=(tmp_path,)))


def test_bad_option_ends_as_one_line_and_exit_code_2(monkeypatch, capsys, tmp_path):
    arguments = ["train-reader", str(tmp_path), "--model", "m", "--file", "f.json", "--held-out", "1.5"]
    monkeypatch.setattr("sys.argv", arguments)
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith("error: held_out=1.5 is no share")
