"""`TextClassifier`: a decision model of LangChain's that runs in this process."""

from __future__ import annotations

import asyncio
import pickle

import numpy as np
import pytest
from langchain_core.decisions import Choice, Noul
from langchain_core.messages import HumanMessage

from twosup_chain import TextClassifier
from twosup_chain.errors import InputError, ModelFileError, UnknownOptionError

LABELS = ("login", "praise", "refund")


def request(text, labels=LABELS):
    topic = Choice(instructions="What is it about?", criteria=dict.fromkeys(labels))
    return {"state": text, "questions": {"topic": topic}}


def test_a_text_gets_its_label_with_a_probability_for_every_one(classifier):
    response = classifier.invoke(request("please give me a refund for the broken chairs"))
    answer = response.choices["topic"]
    assert answer.choice == "refund"
    assert set(answer.probabilities) == set(LABELS)
    assert answer.confidence == max(answer.probabilities.values())
    assert response.model == classifier._engine.config.label


def test_the_evidence_is_energy_distance_and_how_likely_a_label_fits(classifier):
    answer = classifier.invoke(request("my password is refused")).answers["topic"]
    assert set(answer.scores) == {"energy", "distance", "in_scope"}
    assert sum(answer.probabilities.values()) == pytest.approx(answer.scores["in_scope"])


def test_a_text_out_of_scope_has_less_of_everything(classifier):
    inside, outside = (
        classifier.invoke(request(text)).answers["topic"] for text in ("I cannot sign in", "how tall is the moon")
    )
    assert outside.scores["in_scope"] < inside.scores["in_scope"]
    assert outside.confidence < inside.confidence


def test_one_alone_many_together_and_waiting_find_the_same_numbers(classifier):
    asked = [request(text) for text in ("I like it", "sign in fails " * 300, "")]
    alone = [classifier.invoke(one) for one in asked]
    assert classifier.batch(asked) == alone
    assert asyncio.run(classifier.abatch(asked)) == alone
    assert pickle.loads(pickle.dumps(classifier)).batch(asked) == alone  # noqa: S301  our own


def test_some_of_the_labels_may_be_asked_for(classifier):
    answer = classifier.invoke(request("please refund the coat", ("login", "praise"))).choices["topic"]
    assert set(answer.probabilities) == {"login", "praise"}


def test_messages_are_read_too(classifier):
    said = request([HumanMessage("I cannot sign in")])
    assert classifier.invoke(said).choices["topic"].choice == "login"


def test_questions_that_it_does_not_know_are_left_to_others(classifier):
    asked = request("I like it")
    asked["questions"]["urgent"] = Noul(instructions="Is it urgent?")
    assert set(classifier.invoke(asked).answers) == {"topic"}
    with pytest.raises(InputError, match=r"'topic'.*Choice among labels.*'login', 'praise', 'refund'"):
        classifier.invoke(request("I like it", ("love", "hate")))


def test_an_image_is_no_text(classifier):
    with pytest.raises(InputError, match="no text"):
        classifier.invoke(request({"type": "image", "base64": "AAAA", "mime_type": "image/png"}))


def test_a_long_text_is_read_to_its_end(classifier):
    filler = "and so on, " * 400
    found = [
        classifier.invoke(request(text)).answers["topic"].scores["distance"]
        for text in (filler, filler + "refund " * 200)
    ]
    assert found[0] != found[1]
    engine = classifier._engine._loaded.get()[2]
    halves = [engine.embed(text) for text in ("word " * 254, "other " * 254)]
    assert engine.embed("word " * 254 + "other " * 254) == pytest.approx(np.mean(halves, axis=0))


def test_a_misspelt_option_and_a_missing_folder_say_what_to_write(tmp_path):
    with pytest.raises(UnknownOptionError, match="num_threads"):
        TextClassifier(model=str(tmp_path), threads=1)
    with pytest.raises(ModelFileError, match=r"cannot read .*classifier.json"):
        TextClassifier(model=str(tmp_path)).invoke(request("I like it"))


def test_what_is_recorded_is_what_is_seen_live(classifier, tmp_path):
    from twosup_chain import collect, load_decisions
    from twosup_chain.records import read_records

    texts = ("please refund the lamp", "I cannot sign in", "how tall is Everest")
    out = tmp_path / "records.jsonl"
    lines = [{"text": text, "label": label} for text, label in zip(texts, ("refund", "login", None), strict=True)]
    collect(load_decisions(lines, options=LABELS), local=classifier, remote=classifier, out=out)
    recorded = {record.digest: record.local for record in read_records(out)}
    assert len(recorded) == len(texts)
    live = [classifier.invoke(request(text)).answers["topic"] for text in texts]
    seen = sorted((answer.confidence, answer.scores["distance"]) for answer in live)
    assert sorted((one.features["max_softmax"], one.features["distance"]) for one in recorded.values()) == seen
