"""`ChatAnswerer`: the hosted LLM, through any LangChain chat model.

Time-outs, retries and keys are the chat model's own business: its errors pass through unchanged.
"""

from collections.abc import Sequence
from functools import partial
from time import perf_counter
from typing import Any, Self, TypedDict, Unpack

from langchain_core.messages import AIMessage, BaseMessage, convert_to_messages
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import Runnable
from pydantic import Field, ValidationInfo, field_validator, model_validator

from twosup_chain._drive import FlowRunnable
from twosup_chain._step import Flow
from twosup_chain.answerers.choice import CHOICE_INSTRUCTIONS, choice_messages, choice_question
from twosup_chain.answerers.named_chat_model import as_chat_model
from twosup_chain.answerers.prompt import EXAMPLES, INSTRUCTIONS, PromptExample, join_passages, qa_messages
from twosup_chain.answerers.refused import Refusals, evidence_of
from twosup_chain.answerers.reply import as_answer
from twosup_chain.answerers.stated import STATED_CONFIDENCE, answer_from_structured, structured
from twosup_chain.answerers.typed import need_text
from twosup_chain.answerers.wrapping import innermost
from twosup_chain.errors import ConfigurationError
from twosup_chain.schema import Answer, QAInput, QAInputLike


class ChatAnswererOptions(TypedDict, total=False):
    """The options of a `ChatAnswerer` by name and type, as an editor and a type checker know them."""

    model_kwargs: dict[str, Any]
    instructions: str
    examples: Sequence[PromptExample]
    prompt: ChatPromptTemplate | None
    stated_confidence: bool
    refusals: Refusals
    name: str | None


class ChatAnswerer(FlowRunnable[QAInputLike, Answer]):
    """Asks a hosted LLM, with a prompt that offers "unanswerable".

    Token log-probabilities, which the scorers of token probabilities need, come only if the chat model asks for them:
    ``ChatOpenAI(…, logprobs=True)``, or ``model_kwargs={"logprobs": True}`` with a name. ``top_logprobs=5`` brings the
    likeliest alternatives as well. The module `logprobs` lists the providers that have any; a model that refuses them
    is asked once more without them, and without them from then on, which a warning says once.

    Where a provider has none, ``stated_confidence=True`` asks the model itself how sure it is, through LangChain's
    structured output; it comes as ``Answer.scores["stated_confidence"]``, for the scorer of that name and as a feature.

    A question with options is answered with one of them: in the words of the reply, or in a form with
    ``stated_confidence=True``. Where the reply's tokens tell (``logprobs=True, top_logprobs=5``), the answer carries
    the probability of every option.

    Keyword arguments of a call (``answerer.bind(stop=…)``) go to the model; with `stated_confidence`, to its
    ``with_structured_output`` (``method``, ``strict``).

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
        stated_confidence: Whether the model is asked for its confidence, in [0, 1], together with the answer. It must
            be a chat model with structured output. Token log-probabilities do not come with it.
        refusals: Which models refuse log-probabilities, handed from copy to copy; not to be set.

    Raises:
        ConfigurationError: An option of the wrong type or value, at construction; at the first call, a name that cannot
            be looked up, or a model without structured output where it is needed.
        MissingExtraError: At the first call, where the provider's package is not installed.
        RefusalError, EmptyAnswerError, NotTextError: At a call, where the reply is not an answer.
        UnstructuredReplyError: At a call, where the reply does not state its confidence as it was asked to.
        InputError: At a call, where the question cannot be read.
    """

    # before `model`, whose validation reads it
    model_kwargs: dict[str, Any] = Field(default_factory=dict, repr=False, exclude=True)
    model: Runnable[Any, Any]
    instructions: str = INSTRUCTIONS
    examples: tuple[PromptExample, ...] = EXAMPLES
    prompt: ChatPromptTemplate | None = None
    stated_confidence: bool = False
    refusals: Refusals = Field(default_factory=Refusals, repr=False, exclude=True)

    def __init__(self, model: Runnable[Any, Any] | str | None = None, **options: Unpack[ChatAnswererOptions]) -> None:
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
        return as_chat_model(value, info.data.get("model_kwargs"))

    @field_validator("prompt")
    @classmethod
    def _check_prompt(cls, value: ChatPromptTemplate | None) -> ChatPromptTemplate | None:
        variables = {"question"} if value is None else set(value.input_variables)
        if "question" in variables and variables <= {"question", "context"}:
            return value
        raise ConfigurationError(
            f"prompt has the variables {sorted(variables)}: write a template with {{question}} and, "
            "where the answer must come from the documents, {context}"
        )

    @model_validator(mode="after")
    def _check_one_prompt(self) -> Self:
        if self.prompt is not None and (self.instructions != INSTRUCTIONS or self.examples != EXAMPLES):
            raise ConfigurationError("prompt takes the place of instructions and examples: pass the one or the others")
        return self

    @property
    def asks(self) -> Any:
        """The chat model, without what is bound to it."""
        return innermost(self.model)

    @property
    def gives(self) -> frozenset[str]:
        """What its answers carry, as scorers need it."""
        if self.stated_confidence:
            return frozenset({STATED_CONFIDENCE})
        found = evidence_of(self.model)
        return found | {"probabilities"} if "logprobs" in found else found

    def flow(self, value: QAInputLike, **options: Any) -> Flow[Answer]:
        """Returns what becomes of one question; a plain completion counts as a message."""
        asked, started = QAInput.coerce(value), perf_counter()
        messages, refusals = self._messages(asked), self.refusals
        if self.stated_confidence:
            form = partial(structured, options=options, labels=asked.options)
            said = yield from refusals.ask(self.model, messages, {}, form)
            answer = answer_from_structured(said, asked.passages, asked.options)
        else:
            reply = yield from refusals.ask(self.model, messages, options)
            said = AIMessage(reply) if isinstance(reply, str) else reply
            answer = as_answer(said, asked.passages, asked.options)
        return answer.model_copy(update={"seconds": perf_counter() - started})

    def _messages(self, asked: QAInput) -> list[BaseMessage]:
        """Returns the conversation that asks the question."""
        question = choice_question(asked) if asked.options else asked.question
        if self.prompt is not None:
            return self.prompt.format_messages(question=question, context=join_passages(asked.passages))
        if asked.options:
            own = CHOICE_INSTRUCTIONS if self.instructions == INSTRUCTIONS else self.instructions
            return convert_to_messages(choice_messages(question, need_text(asked), own))
        passages = None if asked.context is None else asked.passages
        return convert_to_messages(qa_messages(asked.question, passages, self.instructions, self.examples))
