"""`TwoSupervisorChatModel`: a small local chat model first, a hosted one where it is not trusted, as one chat model.

Here are LangChain's call styles.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator, Sequence
from contextlib import aclosing, closing
from typing import TYPE_CHECKING, Any, ClassVar, Self, Unpack, cast

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.language_models.base import LangSmithParams
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.utils import ConfigurableFieldSpec
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import Field, model_validator

from twosup_chain import _drive
from twosup_chain._deadline import Done
from twosup_chain._keywords import ChatOptions, Part
from twosup_chain._options import shorten
from twosup_chain.answerers.named_chat_model import NamedChatModel, resolved
from twosup_chain.answerers.wrapping import innermost, label_of
from twosup_chain.chat._callbacks import below, hearer, opened, remembered
from twosup_chain.chat._exchange import Exchange, passed_on
from twosup_chain.chat._parts import ChatParts, writes
from twosup_chain.errors import ConfigurationError
from twosup_chain.supervisor import Supervisor


class TwoSupervisorChatModel(BaseChatModel, ChatParts):
    """Answers a conversation locally where that can be trusted, else with a hosted model, else says that it cannot.

    It stands wherever a chat model does. The last human message is the question that supervisors judge the reply by;
    `context` tells them what to take for its context. A message that calls tools is passed on without a verdict, since
    supervisors judge wording.

    A reply carries in ``usage_metadata`` the tokens of both models, those of rejected drafts included, and in
    ``response_metadata``:

    - ``model_name``: the name of this model, `model_name`, so that what is counted by model name counts no token twice;
    - ``twosup``: the decision, a dict for JSON: ``source``, ``status``, ``reason`` and ``error`` as in
      `TwoSupervisorResult`; ``model`` (whose message it is), ``verdicts`` and ``usage`` by role; ``usage_estimated``
      (a stopped model did not report its own); ``stopped_early``; ``shown_before_rejection``; ``seconds``;
    - what else the model whose message it is reports (``logprobs``, ``finish_reason``, …).

    **Streams.** The text of a draft is held until its supervisor has accepted it; then its chunks come as they were
    generated. Whatever is streamed has been accepted, and adds up to what ``invoke`` returns, with two exceptions that
    are the user's choice: ``remote_tokens="at_once"`` and ``on_remote_error="local"``. The last chunk carries the cost
    and the decision. A supervisor that accepts everything (threshold 0 and a score for missing evidence) is not waited
    for. Custom events say what goes on meanwhile: ``twosup_asked`` and ``twosup_verdict`` (see `_writer`). The models'
    runs stand below this one's in traces, tagged ``local``, ``remote`` and so on; handlers that show tokens are not
    told theirs.

    **Early rejection.** A local draft is stopped as soon as its score cannot reach the threshold any more: at once
    where the scorer is `min_token_probability`; where it is a mean or a quantile, the most tokens that the model may
    write (its ``max_tokens``) enter. Another scorer can take part by a method ``highest_score(logprobs, remaining)``.
    A draft is not stopped where it may yet be needed whole: with ``on_remote_error="local"``, with a `gate`, and with a
    remote supervisor that compares with the local answer.

    Args:
        local: The local chat model: a `LlamaCppChat`, or any other; most scorers need log-probabilities of it. Or an
            answerer (an `ExtractiveReader`, a function, …), which is asked the last human message on what `context`
            returns.
        local_supervisor: Judges its drafts.
        remote: The hosted chat model, or ``"provider:model"``; or an answerer, likewise; ``None``: never ask.
        remote_supervisor: Judges its drafts; needed with `remote`.
        fallback: Where nobody is trusted: ``None`` for the no-answer message, ``"raise"`` for `NoTrustedAnswerError`, a
            chat model, or a Runnable or function that is given ``{"question", "context", "messages", "result"}``.
        on_remote_error: Where the hosted model fails, as in `TwoSupervisorChain`.
        on_local_error: Where the local model fails or cannot take the conversation (too long, an image), likewise.
        on_supervisor_error: Where a supervisor fails, evidence is missing or `context` fails, likewise.
        never_escalate: Which turns stay on this machine, as in `TwoSupervisorChain`; a pattern is searched in all
            messages.
        deadline: How many seconds a turn may take, 60 by default, as in `TwoSupervisorChain`.
        gate: Stands before the hosted model, as in `TwoSupervisorChain`; it is given the whole conversation.
        no_answer: The text of the no-answer message, not blank.
        context: Called with the messages; returns what scorers such as ``grounded`` take for the context.
        early_abstention: Whether a local draft is weighed against "no answer", as in `TwoSupervisorChain`.
        reconcile: Whether the hosted draft is weighed against the local one and "no answer", likewise.
        early_rejection: Whether local drafts are stopped early.
        remote_tokens: ``"held"``: the text of the hosted model is streamed after its supervisor has accepted it.
            ``"at_once"``: it is streamed as it comes; if it is rejected after all, the stream ends, after a blank line,
            with the no-answer text (or the fallback's), and ``shown_before_rejection`` in the decision says so. Tool
            calls are always held.
        local_tools: Whether the local model is given bound tools. By default a turn with tools goes to the hosted
            model, since nothing judges whether a call is the right one; one that is to end in JSON
            (``response_format``) always does.
        temperature: The temperature of both models; ``None`` for their own.
        max_tokens: The longest reply of either model, in tokens; ``None`` for their own.
        stop: Texts before which replies end, besides those of a call.
        streaming: Whether ``invoke`` goes through the stream, too.
        model_name: The name of this model in traces and in ``response_metadata``.
        cache: Never: a cache, LangChain's global one too, knows the conversation and not the `context` that it was
            judged by. Give the models of this one a cache instead.

    Raises:
        ConfigurationError: A part is missing, of the wrong type, or contradicts another.
        UnknownOptionError: An option does not exist.

    Example:
        >>> from twosup_chain import LlamaCppChat, Supervisor  # doctest: +SKIP
        >>> chat = TwoSupervisorChatModel(  # doctest: +SKIP
        ...     local=LlamaCppChat(model_path="qwen2.5-0.5b-instruct.gguf"),
        ...     local_supervisor=Supervisor("min_token_probability", threshold=0.3),
        ...     remote="openai:gpt-4.1-mini",
        ...     remote_supervisor=Supervisor("mean_token_probability", threshold=0.4, missing=1.0),
        ... )
        >>> chat.invoke("What is the capital of France?").response_metadata["twosup"]["source"]  # doctest: +SKIP
        'local'
    """

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            local: Part,
            local_supervisor: Runnable[Any, Any],
            remote: Part | None = None,
            remote_supervisor: Runnable[Any, Any] | None = None,
            **options: Unpack[ChatOptions],
        ) -> None: ...

    temperature: float | None = Field(default=None, ge=0.0, allow_inf_nan=False)
    max_tokens: int | None = Field(default=None, ge=1)
    stop: list[str] | None = None
    streaming: bool = False
    #: Whatever a copy or a caller sets: LangChain asks here whether to look up an answer.
    cache: ClassVar[Any] = property(lambda _: False)  # type: ignore[misc] # a field could be set

    @model_validator(mode="before")
    @classmethod
    def _check_cache(cls, options: dict[str, Any]) -> dict[str, Any]:
        _check_not_cached(options.get("cache"))
        return {name: value for name, value in options.items() if name != "cache"}

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "cache":
            _check_not_cached(value)
        else:
            super().__setattr__(name, value)

    @model_validator(mode="after")
    def _check_parts(self) -> Self:
        if not any(isinstance(model, NamedChatModel) for model in (self.local, self.remote)):  # at the first call
            Exchange(self, (), {}, streams=False)  # a chain of the parts has its own checks
        return self

    # -- tools ----------------------------------------------------------------------------------------------------

    def bind_tools(
        self, tools: Sequence[Any], *, tool_choice: str | dict[str, Any] | bool | None = None, **kwargs: Any
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Returns this model with tools for the hosted model, and with ``local_tools=True`` for the local one as well.

        Args:
            tools: Tools in any form that LangChain knows.
            tool_choice: Which tool must be called, as the models' own `bind_tools` take it; ``"any"`` of a single tool
                names it, which more servers understand.
            **kwargs: Further options of the models' `bind_tools` (``strict``, ``parallel_tool_calls``).

        Raises:
            ConfigurationError: There is no hosted model, and the local one is given no tools.
        """
        if not writes(self.remote) and not (self.local_tools and writes(self.local)):
            raise ConfigurationError(
                "nobody can call tools: pass a chat model as remote=…, or local_tools=True if the local one is to call "
                "them"
            )
        formatted = [convert_to_openai_tool(tool) for tool in tools]
        if tool_choice in ("any", "required", True) and len(formatted) == 1:
            tool_choice = formatted[0]["function"]["name"]
        chosen = {} if tool_choice is None else {"tool_choice": tool_choice}
        return self.bind(tools=formatted, **chosen, **kwargs)

    # -- the call styles ------------------------------------------------------------------------------------------

    def invoke(self, input: LanguageModelInput, config: RunnableConfig | None = None, **kwargs: Any) -> AIMessage:
        """Returns the next message of a conversation."""
        config = opened(config)
        with remembered(config):
            return super().invoke(input, config, **kwargs)

    async def ainvoke(
        self, input: LanguageModelInput, config: RunnableConfig | None = None, **kwargs: Any
    ) -> AIMessage:
        """Returns the next message of a conversation."""
        config = opened(config, asynchronous=True)
        with remembered(config):
            return await super().ainvoke(input, config, **kwargs)

    def stream(
        self, input: LanguageModelInput, config: RunnableConfig | None = None, **kwargs: Any
    ) -> Iterator[AIMessageChunk]:
        """Gives the next message of a conversation in chunks; see the class for what is held."""
        config = opened(config)
        chunks = super().stream(input, config, **kwargs)
        with closing(cast("Generator[AIMessageChunk]", chunks)):
            with remembered(config):  # `_stream` begins with the first chunk
                first = next(chunks)
            yield first
            yield from chunks

    async def astream(
        self, input: LanguageModelInput, config: RunnableConfig | None = None, **kwargs: Any
    ) -> AsyncIterator[AIMessageChunk]:
        """Gives the next message of a conversation in chunks; see the class for what is held."""
        config = opened(config, asynchronous=True)
        chunks = super().astream(input, config, **kwargs)
        async with aclosing(cast("AsyncGenerator[AIMessageChunk]", chunks)):
            with remembered(config):  # `_astream` begins with the first chunk
                first = await anext(chunks)
            yield first
            async for chunk in chunks:
                yield chunk

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        exchange = self._exchange(messages, stop, kwargs, streams=False)
        return _result(exchange.message(_drive.run(exchange.flow(), *below(run_manager))))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        exchange = self._exchange(messages, stop, kwargs, streams=False)
        return _result(exchange.message(await _drive.arun(exchange.flow(), *below(run_manager))))

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        exchange = self._exchange(messages, stop, kwargs, streams=True)
        with closing(_drive.stream(exchange.flow(), *below(run_manager))) as pieces:
            for piece in pieces:
                yield from _chunks(exchange, piece)

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        exchange = self._exchange(messages, stop, kwargs, streams=True)
        async with aclosing(_drive.astream(exchange.flow(), *below(run_manager))) as pieces:
            async for piece in pieces:
                for chunk in _chunks(exchange, piece):
                    yield chunk

    def _exchange(
        self, messages: Sequence[BaseMessage], stop: list[str] | None, kwargs: dict[str, Any], *, streams: bool
    ) -> Exchange:
        texts = [*(self.stop or ()), *(stop or ())]
        own = {"temperature": self.temperature, "max_tokens": self.max_tokens, "stop": texts or None}
        _check_not_cached(kwargs.get("cache"))
        given = {key: value for key, value in kwargs.items() if key not in ("stream", "cache")}
        return Exchange(self, messages, {**own, **given}, streams=streams, hear=hearer())

    # -- what LangChain asks of a chat model ----------------------------------------------------------------------

    @property
    def config_specs(self) -> list[ConfigurableFieldSpec]:
        """What can be configured at run time: everything that the parts declare."""
        return _drive.specs_of(self)

    def get_token_ids(self, text: str) -> list[int]:
        """Returns the tokens of a text as the local chat model counts them, or else the hosted one."""
        return self._counter.get_token_ids(text)

    def get_num_tokens_from_messages(self, messages: list[BaseMessage], tools: Sequence[Any] | None = None) -> int:
        """Returns the tokens of a conversation as the local chat model counts them, or else the hosted one."""
        return self._counter.get_num_tokens_from_messages(messages, tools)

    @property
    def _counter(self) -> BaseChatModel:
        writer = self.local if writes(self.local) else self.remote
        if writes(writer):
            return cast("BaseChatModel", innermost(resolved(innermost(writer))))
        raise ConfigurationError("no chat model is there to count tokens: local and remote are answerers")

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = super()._get_ls_params(stop=stop, **kwargs)
        params["ls_provider"] = self._llm_type
        return params

    @property
    def _llm_type(self) -> str:
        return "twosup"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        models = {"local": label_of(self.local), "remote": label_of(self.remote)}
        supervisors = {"local_supervisor": self.local_supervisor, "remote_supervisor": self.remote_supervisor}
        names = ("model_name", "on_remote_error", "no_answer", "remote_tokens", "local_tools", "temperature")
        own = {name: getattr(self, name) for name in (*names, "max_tokens", "early_rejection")}
        return {**own, **models, **{role: _shortly(found) for role, found in supervisors.items()}}


def _check_not_cached(cache: object) -> None:
    if cache is not None and cache is not False:
        raise ConfigurationError(
            f"cache={shorten(cache)}: a cache does not know what a reply was judged by; give local and remote one each "
            "instead (cache=… of the chat models, or LangChain's global cache)"
        )


def _result(message: AIMessage) -> ChatResult:
    return ChatResult(generations=[ChatGeneration(message=message)])


def _chunks(exchange: Exchange, piece: Any) -> Iterator[ChatGenerationChunk]:
    """Gives what a piece of the decision adds to a stream: a chunk that is shown at once, or the end."""
    if isinstance(piece, Done):
        yield from exchange.chunks(piece.value)
    else:
        yield passed_on(piece)


def _shortly(supervisor: object) -> Any:
    if isinstance(supervisor, Supervisor):
        return {"scorer": supervisor.scorer_name, "thresholds": supervisor.thresholds, "missing": supervisor.missing}
    return None if supervisor is None else type(supervisor).__name__
