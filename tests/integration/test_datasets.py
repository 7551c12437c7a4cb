"""Labelled questions out of a real Hugging Face dataset."""

import pytest

from twosup_chain.errors import InputError
from twosup_chain.text.questions import load_questions

datasets = pytest.importorskip("datasets")
pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def split():
    return datasets.Dataset.from_dict(
        {
            "id": ["a", "b"],
            "title": ["Names", "Names"],
            "question": ["Who?", "When?"],
            "context": ["Ada.", "Ada."],
            "answers": [{"text": ["Ada"], "answer_start": [0]}, {"text": [], "answer_start": []}],
        }
    )


def test_a_split_in_the_shape_of_squad_is_read(split):
    ada, when = load_questions(split)
    assert (ada.id, ada.answers, ada.title) == ("a", ("Ada",), "Names")
    assert when.is_impossible


def test_a_dataset_of_several_splits_and_a_data_frame_say_what_to_pass(split):
    for whole in (datasets.DatasetDict({"train": split}), split.to_pandas()):
        with pytest.raises(InputError, match=r"of a dataset with splits pass one, of a data frame its rows"):
            load_questions(whole)


def test_the_rows_of_a_data_frame_are_read(split):
    assert load_questions(split.to_pandas().to_dict("records")) == load_questions(split)
