"""What an epoch consists of: shares, weights, sources, and that epochs differ but repeat."""

from __future__ import annotations

import json

import pytest

from twosup_chain.errors import ConfigurationError, UnknownOptionError
from twosup_chain.training.mixture import build_mixture
from twosup_chain.training.options import MixtureOptions


def write(path, articles):
    path.write_text(json.dumps({"data": articles}), encoding="utf-8")
    return path


def article(name, answerable, unanswerable, **more):
    paragraphs = []
    for i in range(answerable + unanswerable):
        possible = i < answerable
        context = (
            f"In {1700 + i} the mill {name}{i} opened, and in {1900 + i} it closed. " + f"oats{i} rye{i} hay{i} " * 2
        )
        answers = [{"text": f"{name}{i}", "answer_start": context.index(f"{name}{i}")}] if possible else []
        qa = {"id": f"{name}{i}", "question": f"What opened in {1700 + i}, before oats{i + 1}?", "answers": answers}
        paragraphs.append({"context": context, "qas": [{**qa, "is_impossible": not possible, "join": "inferred"}]})
    return {"title": name, "paragraphs": paragraphs, **more}


@pytest.fixture
def main_file(tmp_path):
    return write(tmp_path / "main.json", [article("a", 90, 30)])


@pytest.fixture
def extra_file(tmp_path):
    return write(tmp_path / "extra.json", [article("w", 10, 0, source="Wiki set"), article("s", 10, 10, source="Shop")])


def test_share_of_unanswerable_questions_is_reached_by_leaving_out_answerable_ones(main_file):
    mixture = build_mixture(MixtureOptions(files=(main_file,), held_out=0.0, unanswerable_share=0.5))
    chosen = [mixture.examples[i] for i in mixture.epoch(0)]
    assert sum(not e.answerable for e in chosen) == 30
    assert len(chosen) == 60


def test_epochs_draw_other_answerable_questions_and_repeat_exactly(main_file):
    options = MixtureOptions(files=(main_file,), held_out=0.0, unanswerable_share=0.5)
    first, again = build_mixture(options), build_mixture(options)
    assert first.examples == again.examples
    assert first.epoch(1) == again.epoch(1)
    assert first.epoch(0) != first.epoch(1)
    assert len(set(first.epoch(0))) == 60


def test_without_a_share_everything_is_kept(main_file):
    mixture = build_mixture(MixtureOptions(files=(main_file,), held_out=0.0, unanswerable_share=0.0))
    assert sorted(mixture.epoch(0)) == list(range(120))


def test_held_out_passages_are_neither_trained_on_nor_used_for_negatives(main_file):
    options = MixtureOptions(files=(main_file,), held_out=0.3, passage_negatives=0.5, swap_negatives=0.5)
    mixture = build_mixture(options)
    assert mixture.held_out
    assert not {e.context for e in mixture.held_out} & {e.context for e in mixture.examples}
    assert {"passage", "swap"} <= {e.origin for e in mixture.examples}


def test_only_inferred_unanswerable_questions_weigh_less(main_file):
    mixture = build_mixture(MixtureOptions(files=(main_file,), held_out=0.0, inferred_weight=0.9))
    assert {(e.answerable, e.weight) for e in mixture.examples} == {(True, 1.0), (False, 0.9)}


def test_sources_of_extra_files_are_drawn_by_share(main_file, extra_file):
    options = MixtureOptions(files=(main_file,), extra=(extra_file,), sources={"Wiki": 0.5}, held_out=0.0)
    origins = [e.origin for e in build_mixture(options).examples]
    assert origins.count("Wiki set") == 5
    assert "Shop" not in origins


def test_unknown_source_is_an_error_that_lists_the_good_ones(main_file, extra_file):
    with pytest.raises(UnknownOptionError, match=r"'Wikki' .*Shop, Wiki set"):
        build_mixture(MixtureOptions(files=(main_file,), extra=(extra_file,), sources={"Wikki": 1.0}))


@pytest.mark.parametrize(
    "bad",
    [
        {"held_out": 1.0},
        {"unanswerable_share": -0.1},
        {"swap_negatives": 2.0},
        {"inferred_weight": 0.0},
        {"sources": {"Wiki": 1.5}},
    ],
)
def test_share_out_of_range_names_the_option_and_its_value(main_file, bad):
    ((name, value),) = bad.items()
    shown = repr(value["Wiki"]) if isinstance(value, dict) else repr(value)
    with pytest.raises(ConfigurationError) as caught:
        MixtureOptions(files=(main_file,), **bad)
    assert name in str(caught.value)
    assert shown in str(caught.value)


def test_no_file_is_an_error():
    with pytest.raises(ConfigurationError, match="files=.*give at least one SQuAD-format file"):
        MixtureOptions(files=())


def test_what_a_reader_knows_is_left_out_but_for_a_share(main_file, tmp_path):
    known = tmp_path / "known.json"
    known.write_text(json.dumps({f"a{i}": 0.99 if i < 50 else 0.5 for i in range(120)}), encoding="utf-8")
    options = MixtureOptions(files=(main_file,), held_out=0.0, known=known)
    ids = {e.id for e in build_mixture(options).examples}
    assert {f"a{i}" for i in range(50, 120)} <= ids
    assert 0 < len(ids) - 70 < 25


def test_held_out_questions_stay_whole_whatever_is_known(main_file, tmp_path):
    known = tmp_path / "known.json"
    known.write_text(json.dumps({f"a{i}": 0.99 for i in range(120)}), encoding="utf-8")
    plain = build_mixture(MixtureOptions(files=(main_file,), held_out=0.3))
    assert build_mixture(MixtureOptions(files=(main_file,), held_out=0.3, known=known)).held_out == plain.held_out


def test_under_a_teacher_what_was_made_or_has_no_labels_weighs_nothing(main_file, extra_file):
    options = MixtureOptions(files=(main_file,), held_out=0.1, swap_negatives=0.5, unlabelled=(extra_file,))
    taught = build_mixture(options, taught=True)
    origins = {example.origin for example in taught.examples if example.weight == 0}
    assert origins == {"swap", "unlabelled"}
    assert all(not example.answers for example in taught.examples if example.origin == "unlabelled")


def test_questions_without_labels_on_held_out_passages_are_left_out(main_file):
    options = MixtureOptions(files=(main_file,), held_out=0.3, unlabelled=(main_file,))
    taught = build_mixture(options, taught=True)
    held = {example.context for example in taught.held_out}
    assert held
    assert not held & {example.context for example in taught.examples}
