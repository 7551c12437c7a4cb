"""Chain, chat model and agent middleware come to the same end for the same replies and the same supervisors."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from twosup_chain import Supervisor, TwoSupervisorChain, TwoSupervisorChatModel

agents = pytest.importorskip("langchain.agents", reason="needs langchain: pip install 'twosup-chain[agents]'")
middleware = pytest.importorskip("twosup_chain.chat.middleware")

QUESTION = "Who designed the hall?"
REPLIES = ["Maud Ferris", "Otto Wagner", "unanswerable", " "]


class Says(BaseChatModel):
    """Says the same whatever it is asked."""

    text: str

    @property
    def _llm_type(self) -> str:
        return "says"

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **_: Any) -> ChatResult:
        message = AIMessage(self.text, usage_metadata={"input_tokens": 3, "output_tokens": 2, "total_tokens": 5})
        return ChatResult(generations=[ChatGeneration(message=message)])


def by_chain(parts: dict[str, Any]) -> dict[str, Any]:
    result = TwoSupervisorChain(**parts, on_remote_error="no_answer").invoke(QUESTION)
    verdicts = {"local": result.local_verdict, "remote": result.remote_verdict}
    return {
        "source": result.source,
        "status": result.status,
        "reason": result.reason,
        "error": result.error,
        "verdicts": {role: v.model_dump(exclude_defaults=True) for role, v in verdicts.items() if v is not None},
        "spent": result.usage,
    }


def by_chat_model(parts: dict[str, Any]) -> dict[str, Any]:
    chat = TwoSupervisorChatModel(**parts, on_remote_error="no_answer")
    return told(chat.invoke(QUESTION))


def by_middleware(parts: dict[str, Any]) -> dict[str, Any]:
    remote = parts["remote"]
    made = middleware.TwoSupervisorMiddleware(**{name: part for name, part in parts.items() if name != "remote"})
    state = agents.create_agent(remote, tools=[], middleware=[made]).invoke({"messages": [HumanMessage(QUESTION)]})
    return told(state["messages"][-1])


def told(message: AIMessage) -> dict[str, Any]:
    decision = message.response_metadata["twosup"]
    found = {name: decision[name] for name in ("source", "status", "reason", "error")}
    verdicts = {role: verdict for role, verdict in decision["verdicts"].items() if verdict is not None}
    return {**found, "verdicts": verdicts, "spent": message.usage_metadata}


@pytest.mark.parametrize(("local", "remote"), [*product(REPLIES, REPLIES)])
def test_the_same_replies_and_supervisors_come_to_the_same_end_whoever_drives_the_decision(local, remote) -> None:
    judge = Supervisor(lambda question, answer: float(answer.text in ("Maud Ferris", None)), threshold=0.5)
    parts = {"local": Says(text=local), "remote": Says(text=remote)}
    parts |= {"local_supervisor": judge, "remote_supervisor": judge}
    expected = by_chain(parts)
    assert by_chat_model(parts) == expected
    assert by_middleware(parts) == expected
