"""`twosup ask` with models by script: outcomes, thresholds that were not chosen, the remote's part, bad input."""

from __future__ import annotations

import json
import time
from threading import Event

import pytest
from langchain_core.runnables import RunnableLambda

from twosup_chain import ExtractiveReader, parts
from twosup_chain.schema import Answer, TwoSupervisorResult
from twosup_chain.testing import ScriptedAnswerer


@pytest.fixture
def remote(monkeypatch, local):
    """Puts a script in the remote model's place; the list holds what it was built from."""
    usage = {"input_tokens": 40, "output_tokens": 2, "total_tokens": 42}
    script = {
        "When?": Answer("1843", usage=usage, seconds=1.5, model="m-1"),
        "Who?": RuntimeError("asked in vain"),
    }
    built = []

    def make(*args, **_):
        built.append(args)
        return ScriptedAnswerer(script=script)

    monkeypatch.setattr(parts, "remote_answerer", make)
    return built


def squeezed(text):
    return " ".join(text.split())


def test_a_trusted_local_answer_is_shown_in_its_passage(twosup, local, context):
    result = twosup("ask", "Who?", "--context", context)
    assert result.exit_code == 0
    assert "Answer · from the local model" in result.stdout
    assert ">>Ada<< wrote the first program in 1843." in result.stdout
    assert "0.900 ≥ 0.600 trusted" in squeezed(result.stdout)
    assert result.stderr == ""


def test_thresholds_that_nobody_chose_are_named_with_what_they_were_fitted_on(twosup, local, context):
    shown = squeezed(twosup("ask", "Who?", "-c", context).stdout)
    assert (
        "Note Local threshold 0.6 (answerability): fitted on 1000 questions of a training set. Calibrate on questions "
        "of your own." in shown
    )


def test_another_reader_is_judged_by_what_a_reader_tells(twosup, local, context):
    options = ("--local", "reader:mine")
    result = twosup("ask", "Who?", "-c", context, *options, "--local-threshold", "0.7", "--json")
    assert json.loads(result.stdout)["local_verdict"]["scorer"] == "answerability"
    assert (
        "no threshold was fitted for the scorer 'answerability'"
        in twosup("ask", "Who?", "-c", context, *options).stderr
    )


def test_thresholds_that_the_user_chose_need_no_note(twosup, local, context):
    result = twosup("ask", "Who?", "-c", context, "--local-threshold", "0.95")
    assert "No trusted answer" in result.stdout
    assert "Note" not in result.stdout


def test_another_scorer_with_a_threshold_of_its_own_judges(twosup, local, context):
    result = twosup("ask", "Who?", "-c", context, "--local-scorer", "span_probability", "--local-threshold", "0.7")
    assert "0.800 ≥ 0.700 trusted span_probability" in squeezed(result.stdout)


def test_without_a_trusted_answer_the_users_words_are_printed_and_the_exit_code_is_zero(twosup, local, context):
    result = twosup("ask", "When?", "-c", context, "--no-answer", "Ask [someone] else.")
    assert result.exit_code == 0
    assert "Ask [someone] else." in result.stdout


def test_a_trusted_no_answer_is_one(twosup, local, context):
    assert "No answer in the context · from the local model" in twosup("ask", "Where?", "-c", context).stdout


def test_the_remote_is_asked_where_the_local_answer_is_not_trusted(twosup, remote, context):
    result = twosup("ask", "When?", "-c", context, "--remote", "openai:m-1")
    assert "Answer · from the remote model" in result.stdout
    assert "in >>1843<<." in result.stdout
    assert "Cost" in result.stdout
    assert "42 tokens" in result.stdout
    assert "Local threshold 0.6 (answerability) and remote threshold 0.5 (in_context): fitted on" in squeezed(
        result.stdout
    )
    assert remote == [("openai:m-1", None, "context")]


def test_the_remote_is_not_asked_where_the_local_answer_is_trusted(twosup, remote, context):
    assert twosup("ask", "Who?", "-c", context, "--remote", "openai:m-1").exit_code == 0


def test_json_is_one_document_that_is_the_whole_result_and_the_note_goes_to_stderr(twosup, remote, context):
    result = twosup("ask", "When?", "-c", context, "--remote", "openai:m-1", "--json")
    document = json.loads(result.stdout)
    assert (document["answer"], document["source"], document["status"]) == ("1843", "remote", "answered")
    assert document["local_verdict"] == {
        "score": 0.5,
        "threshold": 0.6,
        "trusted": False,
        "scorer": "answerability",
        "chosen": None,
        "weighed": {},
    }
    assert document["usage"]["total_tokens"] == 42
    assert document["seconds"] > 0
    assert "remote answer trusted" in document["reason"]
    assert TwoSupervisorResult(**document).remote.seconds == 1.5
    assert "fitted on 1000 questions" in result.stderr


def test_json_holds_impossible_probabilities_as_null(twosup, local, context):
    local.script["Who?"] = Answer("Ada", scores={"answerability": 0.9}, token_logprobs=(("Ada", float("-inf")),))
    document = json.loads(twosup("ask", "Who?", "-c", context, "--json").stdout)
    assert document["local"]["token_logprobs"][0]["logprob"] is None


def test_several_contexts_are_several_documents(twosup, local, context, tmp_path):
    (tmp_path / "b.txt").write_text("Nothing of interest.")
    result = twosup("ask", "Who?", "-c", context, "-c", str(tmp_path / "b.txt"))
    assert "(document 1 of 2, ada.txt)" in result.stdout


def test_the_context_may_come_from_standard_input(twosup, local):
    result = twosup("ask", "Who?", "-c", "-", stdin="Ada wrote it.")
    assert ">>Ada<< wrote it." in result.stdout
    assert "(standard input)" in result.stdout


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ((), "Missing option '--context'"),
        (("-c", "FILE", "--local-threshold", "nan"), "--local-threshold nan: a threshold is a number in [0, 1]"),
        (("-c", "FILE", "--local-threshold", "1.7"), "--local-threshold 1.7: a threshold is a number in [0, 1]"),
        (("-c", "FILE", "--local-threshold", "-0.1"), "--local-threshold -0.1: a threshold is a number in [0, 1]"),
        (("-c", "FILE", "--local-threshold", "high"), "Invalid value for '--local-threshold'"),
        (("-c", "FILE", "--local-scorer", "answerabilty"), "Did you mean 'answerability'?"),
        (("-c", "FILE", "--local-scorer", "span_probability"), "--local-threshold is missing"),
        (("-c", "FILE", "--local", "llama:m.gguf"), "--local-threshold is missing"),
        (("-c", "FILE", "--remote-threshold", "0.5"), "--remote is missing"),
        (("-c", "FILE", "--remote-url", "http://localhost:1/v1"), "--remote is missing"),
        (("-c", "FILE", "--remote", "openai:m", "--remote-threshold", "nan"), "--remote-threshold nan"),
        (("-c", "FILE", "--remote", "openai:m", "--remote-scorer", "none"), "'none' is no scorer"),
        (("-c", "FILE", "--remote", "openai:m", "--remote-scorer", "agreement"), "--remote-threshold is missing"),
        (("-c", "FILE", "--on-remote-error", "shrug"), "Invalid value for '--on-remote-error'"),
        (("-c", "FILE", "--locale", "reader"), "No such option"),
        (("-c", "FILE", "another"), "unexpected extra argument"),
    ],
)
def test_bad_options_end_with_one_line_and_exit_code_2(twosup, remote, context, options, complaint):
    result = twosup("ask", "Who?", *(context if option == "FILE" else option for option in options))
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    assert complaint in result.stderr


@pytest.mark.parametrize("question", ["", "  \t"])
def test_a_blank_question_ends_before_anything_is_read(twosup, question):
    result = twosup("ask", question, "-c", "there-is-no-such-file")
    assert result.exit_code == 2
    assert "is blank: ask something" in result.stderr


def test_a_remote_that_fails_ends_with_one_line_that_names_the_way_out(twosup, remote, context):
    result = twosup("ask", "Who?", "-c", context, "--remote", "openai:m-1", "--local-threshold", "1")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("error: the remote model failed: RuntimeError: asked in vain (--on-remote-error")
    assert result.stderr.count("\n") == 1


def test_a_remote_that_fails_may_end_without_an_answer_and_without_a_key_in_the_reason(
    twosup, remote, context, monkeypatch
):
    monkeypatch.setenv(parts.KEY, "asked in vain")
    options = ("--remote", "openai:m-1", "--local-threshold", "1", "--on-remote-error", "no_answer", "--json")
    result = twosup("ask", "Who?", "-c", context, *options)
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert (document["status"], document["error"]) == ("untrusted", "RuntimeError: ***")
    assert "in vain" not in result.output


def test_a_remote_that_fails_may_leave_the_local_answer_as_it_stands(twosup, remote, context):
    options = ("--remote", "openai:m-1", "--local-threshold", "1", "--on-remote-error", "local", "--json")
    document = json.loads(twosup("ask", "Who?", "-c", context, *options).stdout)
    assert (document["source"], document["answer"]) == ("local", "Ada")


def test_a_remote_that_hangs_ends_by_the_timeout(twosup, remote, context, monkeypatch):
    monkeypatch.setattr(parts, "remote_answerer", lambda *_, **__: RunnableLambda(lambda _: time.sleep(4.0)))
    options = ("--remote", "openai:m-1", "--local-threshold", "1", "--timeout", "0.4", "--json")
    started = time.monotonic()
    result = twosup("ask", "Who?", "-c", context, *options, "--on-remote-error", "no_answer")
    assert 0.15 < json.loads(result.stdout)["seconds"] < 1.5
    assert json.loads(result.stdout)["error"].startswith("DeadlineError: no reply within 0.")
    refused = twosup("ask", "Who?", "-c", context, *options)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr.startswith("error: the remote model failed: DeadlineError")
    assert time.monotonic() - started < 4.0


@pytest.mark.parametrize(("length", "said"), [(10, False), (100_000, True)])
def test_a_long_context_is_named_where_the_time_is_up(twosup, tmp_path, monkeypatch, length, said):
    (tmp_path / "long.txt").write_text("a" * length)
    released = Event()
    monkeypatch.setattr(parts, "local_answerer", lambda *_: RunnableLambda(lambda _: released.wait(9.0)))
    result = twosup("ask", "Who?", "-c", str(tmp_path / "long.txt"), "--timeout", "0.2")
    released.set()
    assert (result.exit_code, "no reply within 0.2 s: raise --timeout" in result.stderr) == (1, True)
    assert ("the context is long (100,000 characters): pass the part that matters" in result.stderr) == said


def test_a_classifier_is_told_to_take_decisions(twosup, context):
    result = twosup("ask", "Who?", "-c", context, "--local", "classifier:triage")
    assert (result.exit_code, "--local classifier:triage: a classifier takes decisions" in result.stderr) == (2, True)


def test_a_missing_calibration_is_bad_input(twosup, local, context):
    result = twosup("ask", "Who?", "-c", context, "--calibration", "none.json")
    assert (result.exit_code, result.stderr) == (2, "error: cannot read none.json: No such file or directory\n")


def test_a_scorer_that_will_never_have_what_it_reads_says_so_in_one_line(twosup, context, monkeypatch):
    monkeypatch.setattr(parts, "local_answerer", lambda *_: ExtractiveReader())
    options = ("--local-scorer", "min_token_probability", "--local-threshold", "0.5", "--json")
    assert twosup("ask", "Who?", "-c", context, *options).stderr == (
        "--local-scorer: min_token_probability reads logprobs, which is never there, so that no local answer is ever "
        "trusted: ask for log-probabilities, or take a scorer that needs none\n"
    )


def test_an_error_that_nobody_foresaw_is_one_line_with_exit_code_1(twosup, local, context):
    result = twosup("ask", "Why?", "-c", context)
    assert result.exit_code == 1
    assert result.stderr == "error: ZeroDivisionError: of [all] things\n"
