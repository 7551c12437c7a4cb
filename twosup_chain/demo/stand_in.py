"""`StandIn`: a chat model that plays the recording in a hosted one's place; and the route of the demo."""

import json
from collections.abc import Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.utils.function_calling import convert_to_openai_tool

from twosup_chain.answerers.prompt import join_passages
from twosup_chain.chain import TwoSupervisorChain
from twosup_chain.chat.model import TwoSupervisorChatModel
from twosup_chain.demo.replay import ReplayedAnswerer
from twosup_chain.demo.run import RECORDING, THRESHOLDS, DemoThresholds
from twosup_chain.reader.reader import ExtractiveReader
from twosup_chain.schema import QAInput
from twosup_chain.service.build import passages
from twosup_chain.service.log import DecisionLog
from twosup_chain.service.route import Route

#: What the demo's route is called.
ROUTE = "demo"
#: What stands for a parameter of a tool, by its type in the schema; any other is given the question.
_VALUES: dict[str, Any] = {"integer": 1, "number": 1.0, "boolean": True, "array": [], "object": {}}


class StandIn(BaseChatModel):
    """Replies to a question of the sample, on its passage, what the recorded model did; any other is a failure.

    Given tools, it calls the first of them with the question, and then repeats what that has found.

    Args:
        replayed: The recorded answers.
    """

    replayed: ReplayedAnswerer

    def bind_tools(self, tools: Sequence[Any], **options: Any) -> Runnable[Any, AIMessage]:
        """Returns this model with tools."""
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **options)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **options: Any,
    ) -> ChatResult:
        del stop, run_manager
        return ChatResult(generations=[ChatGeneration(message=self._reply(messages, options.get("tools")))])

    def _reply(self, messages: list[BaseMessage], tools: list[dict[str, Any]] | None) -> AIMessage:
        if isinstance(messages[-1], ToolMessage):
            return AIMessage(messages[-1].text)
        question = next(str(message.text) for message in reversed(messages) if isinstance(message, HumanMessage))
        if tools:
            return AIMessage("", tool_calls=[_call(tools[0]["function"], question)])
        context = join_passages(tuple(passages(messages) or ()))
        answer = self.replayed.invoke(QAInput(question=question, context=context))
        return AIMessage(answer.text or "unanswerable", usage_metadata=answer.usage)

    @property
    def _llm_type(self) -> str:
        return "twosup-demo"

    @property
    def model_name(self) -> str:
        """The recorded model."""
        return self.replayed.recording.header.model


def _call(function: dict[str, Any], question: str) -> dict[str, Any]:
    known = function.get("parameters", {}).get("properties", {})
    arguments = {name: _VALUES.get(about.get("type"), question) for name, about in known.items()}
    number = len(json.dumps(arguments))  # an id that is the same for the same call
    return {"name": function["name"], "args": arguments, "id": f"call_{number}", "type": "tool_call"}


def route(log: DecisionLog) -> Route:
    """Returns the demo as a route: the packaged reader, and the recording in the hosted model's place."""
    replayed = ReplayedAnswerer(recording=RECORDING)
    options: dict[str, Any] = {
        "local": ExtractiveReader(),
        "on_remote_error": "no_answer",
        **DemoThresholds.load(THRESHOLDS).supervisors,
    }
    chat = TwoSupervisorChatModel(remote=StandIn(replayed=replayed), context=passages, model_name=ROUTE, **options)
    return Route(name=ROUTE, chain=TwoSupervisorChain(remote=replayed, **options), chat=chat, sinks=(log,))
