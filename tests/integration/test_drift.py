"""A stream that drifts, end to end: the log says so, and recalibrating from it brings the promise back.

It takes data that are not in the repository: ``TWOSUP_DATA`` names a folder with ``squad/dev.json.gz`` and
``qa_extra/extra.json.gz``, files in SQuAD's format whose articles of COVID-QA say so in ``source``. The local model is
the packaged reader. The hosted one is a stand-in that is right on 85 % of the questions and half knows on which.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
import os
import random
from pathlib import Path
from uuid import uuid4

import pytest

from twosup_chain import Answer, ExtractiveReader, TwoSupervisorChain, calibrate, check
from twosup_chain.collection.collect import collect
from twosup_chain.errors import MissingEvidenceError
from twosup_chain.schema import QAInput
from twosup_chain.service.callback import DecisionCallback
from twosup_chain.service.feedback import Feedback
from twosup_chain.service.labels import read_labels
from twosup_chain.service.log import DecisionLog
from twosup_chain.service.recalibrate import labels_for, recalibrate
from twosup_chain.service.shadow import Shadow
from twosup_chain.service.watch import watch
from twosup_chain.text.questions import LabelledQuestion

DATA = Path(os.environ.get("TWOSUP_DATA", "/nowhere"))
FILES = DATA / "squad" / "dev.json.gz", DATA / "qa_extra" / "extra.json.gz"
RISK, CONFIDENCE, SHADOW = 0.3, 0.9, 0.5

pytestmark = [
    pytest.mark.slow,
    pytest.mark.integration,
    pytest.mark.skipif(not all(file.exists() for file in FILES), reason="TWOSUP_DATA names no folder with the data"),
]


def questions(path, source=""):
    """Labelled questions of a file in random order; one answer each is taken for right."""
    found = []
    for article in json.loads(gzip.decompress(path.read_bytes()))["data"]:
        if source not in article.get("source", ""):
            continue
        for paragraph in article["paragraphs"]:
            for entry in paragraph["qas"]:
                gold = next((answer["text"] for answer in entry["answers"]), "")
                found.append(
                    LabelledQuestion(
                        id=f"{article.get('source', 'squad')}-{entry['id']}",
                        question=entry["question"],
                        context=paragraph["context"],
                        answers=(gold,) if gold else (),
                        is_impossible=not gold,
                    )
                )
    random.Random(0).shuffle(found)  # noqa: S311 (no secret)
    return found


def luck(text):
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) / 2**64


class Hosted:
    """The stand-in: it finds out the answer of most questions, and its score tells more than chance."""

    def __init__(self, *streams):
        self.gold = {(q.question, q.context): (q.answers or (None,))[0] for stream in streams for q in stream}

    def __call__(self, asked: QAInput) -> Answer:
        right = luck(asked.question) < 0.85
        text = self.gold[asked.question, asked.context] if right else "something else"
        score = 0.7 * luck("score" + asked.question) + 0.3 * right
        return Answer(text, scores={"hosted": score}, usage={"input_tokens": 300, "output_tokens": 5}, model="hosted")


def hosted(question, answer):
    if "hosted" not in answer.scores:
        raise MissingEvidenceError("not a hosted answer")
    return answer.scores["hosted"]


def serve(chain, log, stream):
    """Lets a chain answer a stream, with a share in the shadow, and everybody say what the answer is."""
    callback, shadow = DecisionCallback(log, text=True), Shadow(chain, rate=SHADOW)

    async def one(labelled):
        run, asked = uuid4(), QAInput(labelled.question, labelled.context)
        result = await chain.ainvoke(asked, {"callbacks": [callback], "run_id": run})
        decision = log.get(str(run))
        if shadow.wants(decision):
            log.put(await shadow.follow(asked, result, decision))
        log.give(Feedback(decision=decision.id, answer=(labelled.answers or ("",))[0]))
        return decision.time

    async def every():
        return [await one(labelled) for labelled in stream]

    times = asyncio.run(every())
    log.store.flush()
    return times[0]


def test_a_drifted_stream_is_noticed_and_recalibrating_from_the_log_brings_the_promise_back(tmp_path):
    squad, covid = questions(FILES[0]), questions(FILES[1], "COVID")
    reader, remote = ExtractiveReader(), Hosted(squad, covid)
    asked = {"local": reader, "remote": remote, "scorers": ["answerability", hosted]}
    collect(squad[:800], out=tmp_path / "squad.jsonl", **asked)
    options = {"risk": RISK, "confidence": CONFIDENCE, "local_scorer": "answerability"}
    old = calibrate(tmp_path / "squad.jsonl", remote_scorer="hosted", **options)
    scorers = {"hosted": hosted}
    chain = TwoSupervisorChain.from_calibration(old, local=reader, remote=remote, scorers=scorers)
    log = DecisionLog(tmp_path / "log.db")

    start = serve(chain, log, squad[800:1100])
    before = watch(log, old, since=start)
    drift = serve(chain, log, covid[:600])
    after = watch(log, old, since=start)
    print(f"\n{before}\n{after}")
    assert not before.broken
    assert after.broken

    new = recalibrate(log, old, since=drift)
    collect(
        covid[600:1000], local=reader, remote=remote, out=tmp_path / "covid.jsonl", scorers=["answerability", hosted]
    )
    held = {name: check(c, tmp_path / "covid.jsonl", scorers=scorers) for name, c in (("old", old), ("new", new))}
    fair, _ = labels_for(log, old, since=drift).fair()
    print(f"{len(fair)} labels drawn; old {old.local.threshold:.3f}, new {new.local.threshold:.3f}")
    print(held["old"], held["new"], sep="\n")
    assert held["old"].probability < 0.05
    assert held["new"].probability > 0.5

    again = TwoSupervisorChain.from_calibration(new, local=reader, remote=remote, scorers=scorers)
    renewed = serve(again, log, covid[1000:1150])
    assert not watch(log, new, since=renewed).broken
    assert read_labels(log.decisions(since=renewed), log.feedback(), scorers=BY).assumed == 0


BY = {"local": "answerability", "remote": "hosted"}
