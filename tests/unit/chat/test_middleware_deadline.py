"""A turn of an agent ends by its deadline, whatever hangs, and never as an exception."""

from __future__ import annotations

import asyncio
import time

import pytest
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from on_time import ends_after

from twosup_chain import Answer, Supervisor

agents = pytest.importorskip("langchain.agents")
middleware = pytest.importorskip("twosup_chain.chat.middleware")

PASSES = Supervisor(lambda *_, **__: 1.0, threshold=0.5)
NEVER = 2.0


class Hung(GenericFakeChatModel):
    def _generate(self, *args, **kwargs):
        time.sleep(NEVER)
        return super()._generate(*args, **kwargs)

    async def _agenerate(self, *args, **kwargs):
        await asyncio.sleep(NEVER)
        return super()._generate(*args, **kwargs)


async def ask(style, kind=Hung, **parts):
    """Returns the state that a turn leaves."""
    made = middleware.TwoSupervisorMiddleware(remote_supervisor=PASSES, deadline=0.4, **parts)
    agent = agents.create_agent(kind(messages=iter([AIMessage("Ada.")] * 3)), tools=[], middleware=[made])
    asked = {"messages": ["Who?"]}
    if style == "stream":
        return [*agent.stream(asked, stream_mode="values")][-1]
    return agent.invoke(asked) if style == "invoke" else await agent.ainvoke(asked)


STYLES = pytest.mark.parametrize("style", ["invoke", "ainvoke", "stream"])


@STYLES
async def test_a_hung_model_ends_by_the_deadline_as_untrusted(style):
    for _ in ends_after(0.4):
        state = await ask(style)
    assert state["twosup"]["status"] == "untrusted"
    assert state["twosup"]["error"].startswith("DeadlineError: no reply within 0.")
    assert state["messages"][-1].text == "No answer was found that can be trusted."


@STYLES
async def test_a_hung_local_answerer_leaves_time_for_the_agents_model(style):
    def local(_):
        time.sleep(NEVER)
        return Answer("Bo", scores={"answerability": 1.0})

    for _ in ends_after(0.2):
        state = await ask(style, GenericFakeChatModel, local=local, local_supervisor=PASSES)
    assert (state["messages"][-1].text, state["twosup"]["source"]) == ("Ada.", "remote")
