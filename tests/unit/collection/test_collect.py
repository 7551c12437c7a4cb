"""Collecting: what is recorded of answers and failures, what a second call does, and what ends it."""

from __future__ import annotations

import asyncio
import threading
import time
from itertools import chain

import pytest
from langchain_core.runnables import RunnableLambda
from on_time import ends_after

from twosup_chain.collection.collect import acollect, collect
from twosup_chain.errors import ConfigurationError, InputError, MissingExtraError, RecordsError, ResumeError
from twosup_chain.outcomes.from_records import read_columns
from twosup_chain.outcomes.price import Price
from twosup_chain.records.lines import read_records
from twosup_chain.schema import Answer, QAInput
from twosup_chain.testing import ScriptedAnswerer
from twosup_chain.text.questions import LabelledQuestion

SCORERS = ["agreement", "answerability", "in_context"]
USAGE = {"input_tokens": 100, "output_tokens": 10, "total_tokens": 110}


def _examples(n):
    return [
        LabelledQuestion(
            id=f"q{i}",
            question=f"Who {i}?",
            context=f"Ada{i}.",
            answers=(f"Ada{i}",) if i % 3 else (),
            is_impossible=not i % 3,
        )
        for i in range(n)
    ]


def _local(examples, **replies):
    script = {
        e.question: Answer(f"Ada{i}", scores={"answerability": 0.9}, model="local-1") for i, e in enumerate(examples)
    }
    return ScriptedAnswerer(script={**script, **{f"Who {name[1:]}?": reply for name, reply in replies.items()}})


def _remote(examples, **replies):
    script = {e.question: Answer(next(iter(e.answers), None), usage=USAGE, model="remote-1") for e in examples}
    return ScriptedAnswerer(script={**script, **{f"Who {name[1:]}?": reply for name, reply in replies.items()}})


@pytest.fixture
def out(tmp_path):
    return tmp_path / "records.jsonl"


@pytest.fixture
def run(out):
    """Returns a function that collects n questions with scripted models."""

    def run(n=6, *, local=None, remote=None, **options):
        examples = _examples(n)
        given = {"local": local or _local(examples), "remote": remote or _remote(examples), "scorers": SCORERS}
        return collect(options.pop("data", examples), out=out, **{**given, **options})

    return run


def test_every_question_is_recorded_with_both_predictions_measured_and_scored(run, out):
    done = run(6, price=Price(1.0, 10.0))
    records = {record.id: record for record in read_records(out)}
    assert sorted(records) == [f"q{i}" for i in range(6)]
    first, second = records["q0"], records["q1"]
    assert (first.answerable, first.local.exact_match, first.remote.exact_match) == (False, 0.0, 1.0)
    assert (second.answerable, second.local.exact_match, second.remote.exact_match) == (True, 1.0, 1.0)
    assert second.local.trust == {"agreement": None, "answerability": 0.9, "in_context": 1.0}
    assert second.remote.trust == {"agreement": 1.0, "answerability": None, "in_context": 1.0}
    assert (second.question, second.answers, second.remote.text) == ("Who 1?", ("Ada1",), "Ada1")
    assert second.local.seconds > 0
    assert (done.questions, done.recorded, done.new, done.failed) == (6, 6, 6, 0)
    assert (done.local_model, done.remote_model, done.input_tokens) == ("local-1", "remote-1", 600)
    assert done.cost == pytest.approx(6 * 200e-6)


def test_without_texts_none_is_written(run, out):
    run(3, text=False, remote=_remote(_examples(3), q1=ValueError("Ada1 said so")))
    assert b"Ada" not in out.read_bytes()
    assert b"Who" not in out.read_bytes()


@pytest.mark.parametrize("error", [TimeoutError("slow"), "  ", object()], ids=["raised", "blank", "no answer"])
def test_a_failed_call_is_recorded_as_failed_never_as_wrong(run, out, error):
    done = run(4, remote=_remote(_examples(4), q1=error), local=_local(_examples(4), q2=KeyError("lost")))
    records = {record.id: record for record in read_records(out)}
    assert records["q1"].remote.error
    assert records["q1"].remote.exact_match is None
    assert records["q2"].local.error == "KeyError: 'lost'"
    assert records["q2"].remote.error is None
    assert (done.failed, done.recorded) == (2, 4)
    assert len(read_columns(out, local_scorer="answerability", remote_scorer="agreement")) == 2


def test_a_second_call_asks_only_what_is_not_recorded(run, out):
    run(6, limit=2)
    before, remote = out.read_bytes(), _remote(_examples(6))
    done = run(6, remote=remote)
    assert out.read_bytes().startswith(before)
    assert sorted(chain.from_iterable(remote.calls)) == [f"Who {i}?" for i in range(2, 6)]
    assert (done.new, done.recorded) == (4, 6)
    assert run(6).new == 0


def test_failed_questions_are_asked_again_unless_they_are_not_to_be(run, out):
    run(4, remote=_remote(_examples(4), q1=TimeoutError()))
    assert run(4, retry_failed=False).new == 0
    again = run(4)
    assert (again.new, again.failed, again.recorded) == (1, 0, 4)
    assert len(read_columns(out, local_scorer="answerability", remote_scorer="agreement")) == 4
    assert run(4).new == 0


class _RefusedError(Exception):
    def __init__(self, status: int) -> None:
        self.status_code = status
        super().__init__(f"Error code: {status}")


@pytest.mark.parametrize("status", [401, 403])
def test_a_wrong_key_ends_the_collection_and_a_rerun_asks_again(run, status):
    asked = []

    def refuse(question):
        asked.append(question)
        raise _RefusedError(status)

    with pytest.raises(ConfigurationError, match=rf"refused the key 3 times in a row \(HTTP {status}\)"):
        run(60, remote=refuse, concurrency=2)
    assert len(asked) <= 5
    assert run(60).recorded == 60


def test_other_errors_and_single_refusals_do_not_end_it(run):
    refused = {f"q{i}": _RefusedError(401 if i % 3 == 0 else 500) for i in range(9)}
    assert run(12, remote=_remote(_examples(12), **refused), concurrency=1).failed == 9


def test_a_hung_remote_ends_by_its_deadline_as_failed(run):
    def hang(question):
        time.sleep(2.0 if question.question == "Who 1?" else 0.0)
        return Answer("Ada", model="remote-1")

    for _ in ends_after(0.3):
        done = run(4, remote=hang, deadline=0.3)
    assert (done.recorded, done.failed) == (4, 1)


def test_a_second_collection_of_a_process_finds_the_client_as_the_first_left_it(run, out):
    loops = set()

    async def ask(question):
        loops.add(asyncio.get_running_loop())
        return Answer("Ada", model="remote-1")

    def sync(question):
        return Answer("Ada", model="remote-1")

    assert run(4, remote=RunnableLambda(sync, ask)).failed == 0
    assert run(8, remote=RunnableLambda(sync, ask)).failed == 0
    assert not loops  # an asynchronous client is of one loop, and each collection has its own
    assert run(10, remote=RunnableLambda(ask)).new == 2
    assert len(loops) == 1


def test_every_half_written_last_line_is_dropped_and_its_question_asked_again(run, out):
    run(3)
    whole = out.read_bytes()
    keep = whole.rfind(b"\n", 0, -1) + 1
    lost = next(record.id for record in list(read_records(out))[-1:])
    for end in range(keep + 1, len(whole) - 1, 7):
        out.write_bytes(whole[:end])
        assert run(3).new == 1
        assert out.read_bytes()[:keep] == whole[:keep]
        assert [record.id for record in read_records(out)][-1] == lost
    out.write_bytes(whole[:-1])
    assert run(3).new == 0
    assert out.read_bytes() == whole


def test_a_file_that_is_no_records_file_is_left_alone(run, out):
    for content in (b"my diary", b"my diary\n", b'{"a": 1}\n'):
        out.write_bytes(content)
        with pytest.raises(RecordsError, match="line 1: .* is no record"):
            run(2)
        assert out.read_bytes() == content


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data": _examples(4)[1:]}, "holds the question 'q0', which these data do not"),
        (
            {"data": [e.model_copy(update={"context": "Other."}) for e in _examples(4)]},
            "holds the question 'q[01]' with another text, context or answers",
        ),
        (
            {"scorers": ["agreement"]},
            r"was collected with the scorers \['agreement', 'answerability', 'in_context'\], not",
        ),
        ({"text": False}, "was collected with texts"),
        (
            {"remote": lambda _: Answer("x", model="other")},
            "answers of the remote model 'remote-1', and 'other' answered",
        ),
        ({"local": lambda _: Answer("x", model="other")}, "answers of the local model 'local-1', and 'other' answered"),
    ],
)
def test_a_file_collected_in_another_way_is_refused_by_name_and_left_as_it_is(run, out, change, message):
    run(4, limit=2)
    before = out.read_bytes()
    with pytest.raises(ResumeError, match=message):
        run(4, **change)
    assert out.read_bytes() == before


def test_the_first_answers_of_a_new_model_are_not_written_among_those_of_another(run):
    remote = _remote(_examples(4), q3=Answer("Ada3", model="remote-2"))
    with pytest.raises(ResumeError, match="remote model"):
        run(4, remote=remote)


def test_two_collectors_of_one_file_are_one_too_many(run, out):
    examples, started, end = _examples(1), threading.Event(), threading.Event()

    def wait(_):
        started.set()
        assert end.wait(10)
        return Answer("Ada0", model="remote-1")

    first = threading.Thread(target=lambda: run(1, remote=wait))
    first.start()
    assert started.wait(10)
    with pytest.raises(ResumeError, match="another collector is writing"):
        collect(examples, local=_local(examples), remote=_remote(examples), out=out, scorers=SCORERS)
    end.set()
    first.join()
    assert run(1).recorded == 1


@pytest.mark.parametrize("role", ["local", "remote"])
@pytest.mark.parametrize(
    "error", [ConfigurationError("no key"), MissingExtraError("a", "b", "c")], ids=["config", "extra"]
)
def test_a_model_that_is_set_up_wrongly_ends_the_collection_and_is_no_failed_call(run, out, role, error):
    fake = {"local": _local, "remote": _remote}[role](_examples(3), q0=error, q1=error, q2=error)
    with pytest.raises(type(error), match=str(error)[:5]):
        run(3, **{role: fake})
    assert list(read_records(out)) == []


def test_an_error_of_a_users_scorer_ends_the_collection_and_what_was_recorded_stays(run, out):
    def picky(question, answer):
        if "2" in question.question:
            raise ZeroDivisionError
        return 0.5

    with pytest.raises(ZeroDivisionError):
        run(6, scorers=[picky], concurrency=1)
    assert {record.id for record in read_records(out)} <= {"q0", "q1"}

    def mended(question, answer):
        return 0.5

    mended.__name__ = "picky"
    assert run(6, scorers=[mended]).recorded == 6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"concurrency": 0}, "concurrency=0"),
        ({"limit": 0}, "limit=0"),
        ({"scorers": []}, "give at least one"),
        ({"scorers": ["agreement", "agreement"]}, "each a name of its own"),
        ({"scorers": ["agreemnt"]}, "Did you mean 'agreement'"),
        ({"local": 3}, "local=3 cannot answer"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_written(run, out, options, message):
    with pytest.raises(ConfigurationError, match=message):
        run(2, **options)
    assert not out.exists()


def test_no_questions_are_a_whole_collection(run):
    done = run(0)
    assert (done.questions, done.recorded, done.local_model) == (0, 0, None)


def test_a_folder_in_the_files_place_is_refused(run, tmp_path):
    with pytest.raises(InputError, match="cannot write the records"):
        collect([], local=_local([]), remote=_remote([]), out=tmp_path)


def test_no_more_hosted_calls_run_at_once_than_are_allowed(run):
    running, most = 0, 0

    async def remote(question: QAInput):
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.005)
        running -= 1
        return Answer(None, model="remote-1")

    run(40, remote=remote, concurrency=3)
    assert most == 3


def test_the_local_model_is_given_several_questions_at_once(run):
    local = _local(_examples(40))
    run(40, local=local)
    assert max(map(len, local.calls)) > 4
    assert list(chain.from_iterable(local.calls)) == [e.question for e in _examples(40)]


def test_the_progress_says_how_far_it_is_and_what_it_cost(run):
    run(6, limit=2)
    seen = []
    run(6, limit=5, price=Price(1.0, 10.0), progress=seen.append, remote=_remote(_examples(6), q3=TimeoutError()))
    assert [p.done for p in seen] == [3, 4, 5]
    last = seen[-1]
    assert (last.total, last.new, last.failed) == (5, 3, 1)
    assert last.cost == pytest.approx(4 * 200e-6)
    assert last.rate > 0
    assert last.seconds_left == 0.0
    assert seen[0].seconds_left > 0


async def test_where_an_event_loop_runs_the_asynchronous_form_does_the_same(out):
    examples = _examples(3)
    given = {"local": _local(examples), "remote": _remote(examples), "out": out, "scorers": SCORERS}
    with pytest.raises(ConfigurationError, match=r"collect was called where an event loop runs: write 'await acollect"):
        collect(examples, **given)
    assert (await acollect(examples, **given)).recorded == 3


async def test_a_cancelled_collection_leaves_whole_records_and_frees_the_file(out):
    examples = _examples(9)

    async def remote(question: QAInput):
        await asyncio.sleep(0 if question.question < "Who 5" else 60)
        return Answer(None, model="remote-1")

    given = {"local": _local(examples), "out": out, "scorers": SCORERS}
    progress = asyncio.Event()
    task = asyncio.create_task(
        acollect(examples, remote=remote, progress=lambda p: p.done == 5 and progress.set(), **given)
    )
    await progress.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert {record.id for record in read_records(out)} == {f"q{i}" for i in range(5)}
    assert (await acollect(examples, remote=_remote(examples), **given)).new == 4


def test_by_default_every_scorer_of_answers_is_recorded_but_learned_ones_which_follow_from_the_features(out):
    from twosup_chain.reader.reader import ExtractiveReader
    from twosup_chain.scoring.registry import SCORERS as REGISTERED

    examples = _examples(2)
    collect(examples, local=ExtractiveReader(), remote=_remote(examples), out=out)
    for record in read_records(out):
        assert (
            set(record.local.trust)
            == set(record.remote.trust)
            == {name for name, scorer in REGISTERED.items() if scorer.needs not in ("probabilities", "energy")}
            - {"learned_local", "learned_remote"}
        )
        assert record.local.features["answerability"] == pytest.approx(record.local.scores["answerability"])
        assert record.remote.features["local_answerability"] == record.local.features["answerability"]
        assert {name for name, trust in record.local.trust.items() if trust is not None} == {
            "answerability",
            "backed",
            "grounded",
            "in_context",
            "span_probability",
        }
