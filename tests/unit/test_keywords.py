"""Options by name and type are those that are checked; help reads well; a chain shows its parts."""

from __future__ import annotations

import inspect
import pydoc
from typing import get_type_hints

import pytest

import twosup_chain as t
from twosup_chain._keywords import ChatOptions, DecisionOptions
from twosup_chain._options import Options
from twosup_chain.answerers.chat import ChatAnswererOptions
from twosup_chain.answerers.consistency import SelfConsistentOptions
from twosup_chain.chat.condenser import CondenserOptions
from twosup_chain.chat.middleware import MiddlewareOptions, MiddlewareParts
from twosup_chain.schema import AnswerFields
from twosup_chain.supervisor import SupervisorOptions

PARTS = {"local", "local_supervisor", "remote", "remote_supervisor"}
OWN = {"cache", "refusals"}  # one is refused, the other is handed from copy to copy


@pytest.mark.parametrize(
    ("options", "taken", "beside"),
    [
        (DecisionOptions, t.TwoSupervisorChain, PARTS),
        (ChatOptions, t.TwoSupervisorChatModel, PARTS),
        (MiddlewareOptions, MiddlewareParts, set()),
        (SupervisorOptions, t.Supervisor, {"scorer"}),
        (ChatAnswererOptions, t.ChatAnswerer, {"model"}),
        (SelfConsistentOptions, t.SelfConsistent, {"answerer"}),
        (CondenserOptions, t.QuestionCondenser, {"model"}),
        (AnswerFields, t.Answer, {"text"}),
    ],
)
def test_the_typed_options_are_the_fields(options: type, taken: type[Options], beside: set[str]) -> None:
    assert {*get_type_hints(options)} - OWN == {*taken.model_fields} - beside - OWN


def test_a_question_is_typed_with_its_fields_in_their_order() -> None:
    assert [*t.QAInput.model_fields] == ["question", "context", "id", "options"]


@pytest.mark.parametrize("name", [name for name in t.__all__ if isinstance(getattr(t, name), type)])
def test_no_signature_shows_how_an_option_is_checked(name: str) -> None:
    assert "Validator" not in str(inspect.signature(getattr(t, name)))


def test_help_opens_with_the_options_and_what_they_mean() -> None:
    opening = pydoc.plain(pydoc.render_doc(t.TwoSupervisorChain)).split("Method resolution order")[0]
    assert "TwoSupervisorChain(*, local: 'Part', local_supervisor: 'Runnable[Any, Any]', remote:" in opening
    assert "deadline: float | None = 60.0" in opening
    assert "Answers locally where that can be trusted" in opening
    assert len(opening.splitlines()) < 90


def test_the_graph_shows_the_parts_and_what_leads_where() -> None:
    judge = t.Supervisor("answerability", threshold=0.5)
    whole = t.TwoSupervisorChain(
        local=str, local_supervisor=judge, remote=str, remote_supervisor=judge, fallback=str
    ).get_graph()
    edges = {(edge.source, edge.target, edge.data) for edge in whole.edges}
    assert edges == {
        ("question", "local", None),
        ("local", "local_supervisor", None),
        ("local_supervisor", "result", "trusted"),
        ("local_supervisor", "remote", "not trusted"),
        ("remote", "remote_supervisor", None),
        ("remote_supervisor", "result", "trusted"),
        ("remote_supervisor", "fallback", "not trusted"),
        ("fallback", "result", None),
    }
    assert "local_supervisor" in whole.draw_mermaid()
    alone = t.TwoSupervisorChain(local=str, local_supervisor=judge).get_graph()
    assert [*alone.nodes] == ["question", "local", "local_supervisor", "result"]
    assert {edge.target for edge in alone.edges if edge.source == "local_supervisor"} == {"result"}
