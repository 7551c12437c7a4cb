"""A real Ray cluster of two workers: what a killed worker had in hand is answered all the same, and paid for once."""

import json
import os
import signal
from collections import Counter
from functools import partial

import pytest

from twosup_chain.errors import ConfigurationError, InputError

ray = pytest.importorskip("ray")
pq = pytest.importorskip("pyarrow.parquet")
pytestmark = [pytest.mark.alone, pytest.mark.integration, pytest.mark.slow]

COUNT = 20_000
#: What a hosted call costs here, in currency, at most and really; every third question wants one.
COST, CAP = 0.01, COUNT * 0.003


def make_chain(folder, store):
    """A chain whose parts note who is at work, and each hosted call, in the folder."""
    from langchain_core.runnables import RunnableLambda

    from twosup_chain import Answer, Price, Supervisor, TwoSupervisorChain
    from twosup_chain.service.budget import Caps
    from twosup_chain.service.gate import RemoteGate

    def local(question):
        (folder / "workers" / str(os.getpid())).touch()
        number = int(question.question.split()[-1])
        return Answer(f"local {number}", scores={"answerability": 0.1 if number % 3 == 0 else 0.9})

    async def remote(question):
        with (folder / "calls").open("a") as calls:
            calls.write(f"{question['question']}\n")
        return Answer("hosted", usage={"input_tokens": 5, "output_tokens": 5, "total_tokens": 10})

    def only_async(_):
        raise AssertionError("the ledger asks asynchronously")

    price = Price(500, 1500)  # a million tokens
    caps = Caps(day=CAP)
    return TwoSupervisorChain(
        local=local,
        local_supervisor=Supervisor("answerability", threshold=0.5),
        remote=RunnableLambda(only_async, afunc=remote),
        remote_supervisor=Supervisor("grounded", threshold=0.0),
        gate=RemoteGate(caps=caps, price=price, store=store, max_tokens=5, prompt_tokens=0),
    )


@pytest.fixture(scope="module")
def cluster():
    ray.init(num_cpus=3, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "workers").mkdir()
    return tmp_path


def questions(count):
    return ray.data.from_items([{"question": f"Who wrote {n}", "context": "hosted by Ada"} for n in range(count)])


def calls(folder):
    path = folder / "calls"
    return Counter(path.read_text().splitlines()) if path.exists() else Counter()


def rows(out):
    return pq.read_table(out).to_pylist()


def test_every_question_is_answered_once_and_paid_for_once_though_workers_are_killed(cluster, folder):
    from twosup_chain.service.ray import answer_dataset

    killed = []

    def kill(done, total):
        """Kills a worker at a third of the way, and another one at two thirds."""
        alive = [int(path.name) for path in (folder / "workers").iterdir() if int(path.name) not in killed]
        if len(killed) < 2 and alive and done > total * (len(killed) + 1) // 3:
            os.kill(alive[-1], signal.SIGKILL)
            killed.append(alive[-1])

    factory = partial(make_chain, folder, folder / "purses.db")
    done = answer_dataset(factory, questions(COUNT), out=folder / "out", batch_size=64, progress=kill)
    assert len(killed) == 2
    assert (done.questions, done.new) == (COUNT, COUNT)
    found = rows(folder / "out")
    assert len({row["id"] for row in found}) == len(found) == COUNT
    asked = calls(folder)
    assert max(asked.values()) == 1
    assert len(asked) == done.calls
    by_hosted = [row for row in found if row["source"] == "remote"]
    assert len(by_hosted) == done.calls  # what was paid for is in the results
    assert Counter(row["status"] for row in found)["untrusted"] == (COUNT + 2) // 3 - done.calls  # no money was left
    assert CAP - 5 * COST <= done.calls * COST <= CAP


def test_a_run_goes_on_where_another_one_stopped(cluster, folder):
    from twosup_chain.service.ray import answer_dataset

    factory = partial(make_chain, folder, folder / "purses.db")
    first = answer_dataset(factory, questions(50), out=folder / "out")
    again = answer_dataset(factory, questions(80), out=folder / "out")
    assert (first.new, again.questions, again.new, again.calls) == (50, 80, 30, 10)
    assert len({row["id"] for row in rows(folder / "out")}) == len(rows(folder / "out")) == 80
    assert max(calls(folder).values()) == 1


def test_no_file_takes_the_place_of_another_where_one_was_taken_away(tmp_path):
    import pyarrow as pa

    from twosup_chain.service.ray import _write

    for name in "abc":
        _write(pa.table({"id": [name]}), tmp_path)
    (tmp_path / "part-000001.parquet").unlink()
    _write(pa.table({"id": ["d"]}), tmp_path)
    assert {row["id"] for row in rows(tmp_path)} == {"a", "c", "d"}


def test_what_cannot_run_is_said_before_it_would_wait_for_ever(cluster, folder):
    from twosup_chain.service.ray import answer_dataset

    factory = partial(make_chain, folder, folder / "purses.db")
    with pytest.raises(ConfigurationError, match="the cluster has 3 processors, and one is needed beside the workers"):
        answer_dataset(factory, questions(3), out=folder / "out", workers=3, cpus=1.0)
    with pytest.raises(InputError, match=r"the dataset has no column context, question: it has \['text'\]"):
        answer_dataset(factory, ray.data.from_items([{"text": "a"}]), out=folder / "out")
    (folder / "other").mkdir()
    (folder / "other" / "part-000000.parquet").write_text("no")
    with pytest.raises(InputError, match="holds no answers"):
        answer_dataset(factory, questions(3), out=folder / "other")


def test_a_file_that_no_cluster_reads_is_refused_before_one_is_started(tmp_path):
    from twosup_chain.service.ray import dataset_of

    for name, said in (("a.csv", "is a table, which is answered on one machine"), ("a.jsonl", "holds no question")):
        (tmp_path / name).touch()
        with pytest.raises(InputError, match=said):
            dataset_of(tmp_path / name)


def test_the_command_line_answers_a_file_on_the_cluster(cluster, folder, monkeypatch):
    from typer.testing import CliRunner

    from twosup_chain.cli.app import app

    monkeypatch.chdir(folder)
    lines = [{"id": n, "question": "Who wrote it?", "context": f"Ada {n} wrote it."} for n in range(20)]
    (folder / "questions.jsonl").write_text("\n".join(map(json.dumps, lines)))
    words = ["questions.jsonl", "--out", "answers", "--engine", "ray", "--workers", "1", "--json"]
    told = CliRunner().invoke(app, ["answer", *words])
    assert told.exit_code == 0, told.output
    assert {row["answer"] for row in rows(folder / "answers")} >= {"Ada 7", "Ada 19"}
