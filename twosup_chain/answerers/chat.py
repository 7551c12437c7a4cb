"""`ChatAnswerer`: the hosted LLM, through any LangChain chat model.

The prompt is made in `prompt`, the reply is read in `message`; here the model is found and called. Time-outs, retries
and keys are the chat model's own business: its errors pass through unchanged.
"""

from __future__ import annotations

from functools import cached_property
from time import perf_counter
from typing import TYPE_CHECKING, Any

from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage, convert_to_messages
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import Runnable, RunnableConfig, RunnableSerializable
from langchain_core.runnables.config import patch_config
from pydantic import Field, ValidationInfo, field_validator, model_validator

from twosup_chain._options import Options, shorten
from twosup_chain.answerers.base import as_answer
from twosup_chain.answerers.prompt import EXAMPLES, INSTRUCTIONS, Example, qa_messages
from twosup_chain.errors import ConfigurationError, MissingExtraError
from twosup_chain.schema import Answer, QAInput, QAInputLike

if TYPE_CHECKING:
    from langchain_core.callbacks import AsyncCallbackManagerForChainRun, CallbackManagerForChainRun
    from langchain_core.runnables.utils import ConfigurableFieldSpec


class NamedChatModel(Runnable[LanguageModelInput, BaseMessage]):
    """A chat model that is known by name until it is first called; then it is built once.

    It leaves no run of its own in traces.

    Args:
        name: ``"provider:model"`` (``"openai:gpt-4.1-mini"``), as LangChain's ``init_chat_model`` takes it.
        model_kwargs: What the chat model is built with; it is never shown.
    """

    def __init__(self, name: str, model_kwargs: dict[str, Any] | None = None) -> None:
        provider, colon, model = name.partition(":")
        if not (provider and colon and model):
            message = f"model={shorten(name)} is no 'provider:model': write 'openai:gpt-4.1-mini', or pass a chat model"
            raise ConfigurationError(message)
        self.model_name = name
        self._model_kwargs = dict(model_kwargs or {})

    def __repr__(self) -> str:
        return f"NamedChatModel({self.model_name!r})"

    @cached_property
    def resolved(self) -> Runnable[LanguageModelInput, BaseMessage]:
        """The chat model itself.

        ``langchain`` finds it by its name; without ``langchain``, ``openai`` alone is known.

        Raises:
            MissingExtraError: ``langchain-openai`` is not installed.
            ConfigurationError: ``langchain`` is not installed, and the provider is another.
        """
        provider, _, model = self.model_name.partition(":")
        try:
            from langchain.chat_models import init_chat_model
        except ImportError:
            return _without_langchain(provider, model, self._model_kwargs)
        found: Runnable[LanguageModelInput, BaseMessage] = init_chat_model(self.model_name, **self._model_kwargs)
        return found

    def invoke(self, input: LanguageModelInput, config: RunnableConfig | None = None, **kwargs: Any) -> BaseMessage:
        """Calls the chat model."""
        return self.resolved.invoke(input, config, **kwargs)

    async def ainvoke(
        self, input: LanguageModelInput, config: RunnableConfig | None = None, **kwargs: Any
    ) -> BaseMessage:
        """Calls the chat model asynchronously."""
        return await self.resolved.ainvoke(input, config, **kwargs)


def _without_langchain(
    provider: str, model: str, model_kwargs: dict[str, Any]
) -> Runnable[LanguageModelInput, BaseMessage]:
    if provider != "openai":
        package = "langchain-" + provider.replace("_", "-")
        message = (
            f"the model '{provider}:{model}' cannot be found by its name without langchain: "
            f"pip install langchain {package}, or pass the chat model itself"
        )
        raise ConfigurationError(message)
    try:
        from langchain_openai import ChatOpenAI
    except ImportError:
        raise MissingExtraError(f"ChatAnswerer('{provider}:{model}')", "langchain-openai", "openai") from None
    return ChatOpenAI(model=model, **model_kwargs)


class ChatAnswerer(RunnableSerializable[QAInputLike, Answer], Options):
    """Asks a hosted LLM, with a prompt that offers "unanswerable".

    Token log-probabilities, which the scorers of token probabilities need, come only if the chat model asks for them:
    ``ChatOpenAI(…, logprobs=True)``, or ``model_kwargs={"logprobs": True}`` with a name. ``top_logprobs=5`` brings the
    likeliest alternatives as well. The module `logprobs` lists the providers that have any.

    Keyword arguments of a call (``answerer.bind(stop=…)``) go to the model.

    Args:
        model: A LangChain chat model, a binding of one, or ``"provider:model"``, which is looked up at the first call
            (see `NamedChatModel`). It may be given by position.
        instructions: The system message. What it offers as the reply for "no answer" must be something that
            `prompt.parse_reply` knows.
        examples: Worked examples of the prompt, of which those are shown that are of the question's kind.
        prompt: A template of ``{question}`` and ``{context}``, in place of instructions and examples. The context is
            the documents joined by blank lines; it is empty where none was given.
        model_kwargs: What a model given by name is built with (``base_url``, ``api_key``, ``logprobs``, …). It is never
            shown.

    Raises:
        ConfigurationError: An option of the wrong type or value, at construction; at the first call, a name that cannot
            be looked up.
        MissingExtraError: At the first call, where the provider's package is not installed.
        RefusalError, EmptyAnswerError, NotTextError: At a call, where the reply is not an answer.
        InputError: At a call, where the question cannot be read.
    """

    # before `model`, whose validation reads it
    model_kwargs: dict[str, Any] = Field(default_factory=dict, repr=False, exclude=True)
    model: Runnable[Any, Any]
    instructions: str = INSTRUCTIONS
    examples: tuple[Example, ...] = EXAMPLES
    prompt: ChatPromptTemplate | None = None

    def __init__(self, model: Any = None, **options: Any) -> None:
        super().__init__(model=model, **options)

    @field_validator("model_kwargs", mode="before")
    @classmethod
    def _check_model_kwargs(cls, value: object) -> dict[str, Any]:
        if isinstance(value, dict) and all(isinstance(key, str) for key in value):
            return value
        message = f"model_kwargs is a {type(value).__name__}: pass a dict of the chat model's options by name"
        raise ConfigurationError(message)

    @field_validator("model", mode="before")
    @classmethod
    def _check_model(cls, value: object, info: ValidationInfo) -> Runnable[Any, Any]:
        model_kwargs = info.data.get("model_kwargs")
        if isinstance(value, str):
            return NamedChatModel(value, model_kwargs)
        if not isinstance(value, Runnable):
            message = f"model is a {type(value).__name__}: pass a LangChain chat model, or its name as 'provider:model'"
            raise ConfigurationError(message)
        if model_kwargs and not isinstance(value, NamedChatModel):
            message = "model_kwargs are for a model given by name: give a chat model its options itself"
            raise ConfigurationError(message)
        return value

    @field_validator("prompt")
    @classmethod
    def _check_prompt(cls, value: ChatPromptTemplate | None) -> ChatPromptTemplate | None:
        variables = {"question"} if value is None else set(value.input_variables)
        if "question" in variables and variables <= {"question", "context"}:
            return value
        message = (
            f"prompt has the variables {sorted(variables)}: write a template with {{question}} and, "
            "where the answer must come from the documents, {context}"
        )
        raise ConfigurationError(message)

    @model_validator(mode="after")
    def _check_one_prompt(self) -> ChatAnswerer:
        if self.prompt is not None and (self.instructions != INSTRUCTIONS or self.examples != EXAMPLES):
            message = "prompt takes the place of instructions and examples: pass the one or the others"
            raise ConfigurationError(message)
        return self

    def invoke(self, input: QAInputLike, config: RunnableConfig | None = None, **kwargs: Any) -> Answer:
        """Answers one question."""
        return self._call_with_config(self._invoke, input, config, **kwargs)

    async def ainvoke(self, input: QAInputLike, config: RunnableConfig | None = None, **kwargs: Any) -> Answer:
        """Answers one question asynchronously."""
        return await self._acall_with_config(self._ainvoke, input, config, **kwargs)

    @property
    def config_specs(self) -> list[ConfigurableFieldSpec]:
        """What can be configured at run time: what the model declares."""
        return self.model.config_specs

    def _invoke(
        self, value: QAInputLike, run_manager: CallbackManagerForChainRun, config: RunnableConfig, **kwargs: Any
    ) -> Answer:
        messages, started = self._messages(value), perf_counter()
        reply = self.model.invoke(messages, patch_config(config, callbacks=run_manager.get_child()), **kwargs)
        return _timed(reply, started)

    async def _ainvoke(
        self, value: QAInputLike, run_manager: AsyncCallbackManagerForChainRun, config: RunnableConfig, **kwargs: Any
    ) -> Answer:
        messages, started = self._messages(value), perf_counter()
        reply = await self.model.ainvoke(messages, patch_config(config, callbacks=run_manager.get_child()), **kwargs)
        return _timed(reply, started)

    def _messages(self, value: QAInputLike) -> list[BaseMessage]:
        """Returns the conversation that asks the question."""
        asked = QAInput.coerce(value)
        if self.prompt is not None:
            return self.prompt.format_messages(question=asked.question, context="\n\n".join(asked.passages))
        passages = None if asked.context is None else asked.passages
        return convert_to_messages(qa_messages(asked.question, passages, self.instructions, self.examples))


def _timed(reply: object, started: float) -> Answer:
    """Returns the model's reply as an `Answer` that tells how long it took; a plain completion counts as a message."""
    seconds = perf_counter() - started
    answer = as_answer(AIMessage(reply) if isinstance(reply, str) else reply)
    return answer.model_copy(update={"seconds": seconds})
