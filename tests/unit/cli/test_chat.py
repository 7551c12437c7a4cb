"""``twosup chat``: answers with their decisions, line by line; follow-ups are rewritten where a model is there."""

from __future__ import annotations

import json

import pytest
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage

from twosup_chain import ChatAnswerer, parts
from twosup_chain.testing import ScriptedAnswerer


@pytest.fixture
def hosted(monkeypatch, local):
    """Puts a chat model in the remote one's place, which says these things one after the other."""

    def say(*said):
        model = GenericFakeChatModel(messages=iter([AIMessage(text) for text in said]))
        monkeypatch.setattr(parts, "remote_answerer", lambda *_, **__: ChatAnswerer(model))

    return say


def squeezed(text):
    return " ".join(text.split())


def test_each_answer_is_shown_with_its_decision(twosup, local, context):
    result = twosup("chat", "-c", context, stdin="Who?\n\nWhen?\n")
    assert result.exit_code == 0
    who, when = squeezed(result.stdout).split("No answer was found")
    assert who.startswith("Ada local “Ada” · trusted, answerability 0.900 ≥ 0.600 ada.txt")
    assert "not trusted, answerability 0.500 < 0.600" in when
    assert "1 document, 7 words. Ctrl-D ends the conversation." in result.stderr
    assert "No model here rewrites follow-up questions" in result.stderr
    assert "fitted on 1000 questions" in squeezed(result.stderr)


def test_a_follow_up_question_is_rewritten_and_that_is_shown(twosup, hosted, context):
    hosted("When?", "1843")
    result = twosup("chat", "-c", context, "--remote", "openai:m", stdin="Who?\nAnd in which year?\n")
    shown = squeezed(result.stdout)
    assert (
        "asked as: When? 1843 local “Ada” · not trusted, answerability 0.500 < 0.600 remote “1843” · trusted" in shown
    )
    assert "No model here" not in result.stderr


def test_no_conversation_leaves_for_rewriting_where_questions_may_have_to_stay(
    twosup, hosted, context, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    trust = "".join(f'{role}_scorer = "in_context"\n{role}_threshold = 0.5\n' for role in ("local", "remote"))
    (tmp_path / "twosup.toml").write_text(
        f'[routes.a]\n{trust}remote = "openai:m"\nnever_escalate = [{{pattern = "secret"}}]\n'
    )
    hosted()
    result = twosup("chat", "-c", context, stdin="Who?\n")
    assert "No model here rewrites follow-up questions" in result.stderr


def test_a_line_that_ends_as_on_windows_is_the_same_question(twosup, local, context):
    result = twosup("chat", "-c", context, "--json", stdin="Who?\r\n")
    assert json.loads(result.stdout)["asked"] == "Who?"


def test_json_is_a_document_for_each_answer(twosup, local, context):
    result = twosup("chat", "-c", context, "--json", stdin="Who?\nWhere?\n")
    documents = [json.loads(part) for part in result.stdout.replace("}\n{", "}\0{").split("\0")]
    assert [(d["question"], d["status"]) for d in documents] == [("Who?", "answered"), ("Where?", "unanswerable")]


def test_a_question_that_fails_is_one_line_and_the_conversation_goes_on(twosup, monkeypatch, local, context):
    failing = ScriptedAnswerer(script={"When?": RuntimeError("asked in vain")})
    monkeypatch.setattr(parts, "remote_answerer", lambda *_, **__: failing)
    result = twosup("chat", "-c", context, "--remote", "openai:m", stdin="When?\nWho?\n")
    assert result.exit_code == 0
    assert "error: the remote model failed: RuntimeError: asked in vain" in result.stderr
    assert result.stdout.startswith("Ada\n")


def test_standard_input_is_the_conversation_not_the_context(twosup, local):
    result = twosup("chat", "-c", "-", stdin="Who?\n")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "standard input holds the conversation" in result.stderr
