"""`NamedChatModel`: a chat model that is known by its name, ``"provider:model"``, until it is called.

Which classes and options a provider has is left to LangChain.
"""

from functools import cached_property, partial
from typing import Any

from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import BaseMessage
from langchain_core.runnables import Runnable, RunnableConfig

from twosup_chain._drive import Inline
from twosup_chain._options import shorten, told
from twosup_chain._step import Flow, Step
from twosup_chain._worker import Worker
from twosup_chain.errors import ConfigurationError, MissingExtraError

#: So many answerers may be put around each other.
_DEEPEST = 4


class NamedChatModel(Inline[LanguageModelInput, BaseMessage]):
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

    def __getstate__(self) -> dict[str, Any]:
        """A copy, in this process or another, builds the chat model again."""
        return {name: value for name, value in vars(self).items() if name != "resolved"}

    def may_tell(self, option: str) -> bool:
        """Whether it may be built with an option on: it is, or its provider may have others of that meaning."""
        return bool(self._model_kwargs.get(option)) or not self.model_name.startswith("openai:")

    @cached_property
    def resolved(self) -> Runnable[LanguageModelInput, BaseMessage]:
        """The chat model itself.

        ``langchain`` finds it by its name; without ``langchain``, ``openai`` alone is known.

        Raises:
            MissingExtraError: ``langchain-openai`` is not installed.
            ConfigurationError: ``langchain`` is not installed, and the provider is another; or the model cannot be made
                (its provider is unknown, its key is missing, an option is wrong).
        """
        try:
            return _made(self.model_name, self._model_kwargs)
        except (ImportError, ConfigurationError):
            raise
        except Exception as error:
            raise ConfigurationError(f"the model {self.model_name!r} cannot be made: {told(error)}") from error

    def flow(self, value: LanguageModelInput, **options: Any) -> Flow[BaseMessage]:
        """Calls the chat model."""
        reply: BaseMessage = yield Step(self.resolved, value, options)
        return reply


class _Making(Runnable[NamedChatModel, None]):
    """Makes the chat model of a name, once; other questions wait for it, and an event loop does not."""

    def __init__(self) -> None:
        self._worker = Worker()

    def invoke(self, input: NamedChatModel, config: RunnableConfig | None = None, **_: Any) -> None:  # noqa: ARG002
        self._worker.run(partial(getattr, input, "resolved"))

    async def ainvoke(
        self,
        input: NamedChatModel,
        config: RunnableConfig | None = None,  # noqa: ARG002
        **_: Any,
    ) -> None:
        await self._worker.arun(partial(getattr, input, "resolved"))


MAKING = _Making()


def unmade(answerer: object) -> NamedChatModel | None:
    """Returns the chat model that an answerer asks, where it has a name and is not made yet."""
    for _ in range(_DEEPEST):
        answerer = getattr(answerer, "asks", answerer)
    return answerer if isinstance(answerer, NamedChatModel) and "resolved" not in vars(answerer) else None


def made(answerer: object, stage: int = 0) -> Flow[None]:
    """Makes the chat model that an answerer asks: its client's import takes seconds, which are not the question's."""
    if (model := unmade(answerer)) is not None:
        yield Step(MAKING, model, stage=stage)


def as_chat_model(value: object, model_kwargs: dict[str, Any] | None = None) -> Runnable[Any, Any]:
    """Returns what the user gave for a chat model as a Runnable."""
    if isinstance(value, str):
        return NamedChatModel(value, model_kwargs)
    if not isinstance(value, Runnable):
        message = f"model is a {type(value).__name__}: pass a LangChain chat model, or its name as 'provider:model'"
        raise ConfigurationError(message)
    if model_kwargs and not isinstance(value, NamedChatModel):
        raise ConfigurationError("model_kwargs are for a model given by name: give a chat model its options itself")
    return value


def resolved(model: Any) -> Any:
    """Returns a chat model itself, where it was given by name."""
    return model.resolved if isinstance(model, NamedChatModel) else model


def _made(name: str, model_kwargs: dict[str, Any]) -> Runnable[LanguageModelInput, BaseMessage]:
    try:
        from langchain.chat_models import init_chat_model
    except ImportError:
        return _without_langchain(name, model_kwargs)
    found: Runnable[LanguageModelInput, BaseMessage] = init_chat_model(name, **model_kwargs)
    return found


def _without_langchain(name: str, model_kwargs: dict[str, Any]) -> Runnable[LanguageModelInput, BaseMessage]:
    provider, _, model = name.partition(":")
    if provider != "openai":
        package = "langchain-" + provider.replace("_", "-")
        raise ConfigurationError(
            f"the model '{provider}:{model}' cannot be found by its name without langchain: "
            f"pip install langchain {package}, or pass the chat model itself"
        )
    try:
        from langchain_openai import ChatOpenAI
    except ImportError:
        raise MissingExtraError(f"ChatAnswerer('{provider}:{model}')", "langchain-openai", "openai") from None
    return ChatOpenAI(model=model, **model_kwargs)
