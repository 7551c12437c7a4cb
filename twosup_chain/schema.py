"""The records that go in, travel between the parts and come out: `QAInput`, `Answer`, `Verdict`, the result.

All are frozen and carry their own evidence; nothing about a call is kept anywhere else.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, TypedDict, Unpack

from langchain_core.documents import Document
from langchain_core.messages.ai import UsageMetadata
from pydantic import BeforeValidator, Field, PlainValidator, field_serializer, field_validator

from twosup_chain._input_keys import fields_of
from twosup_chain._options import Record, shorten
from twosup_chain._plain import plain, scalar_text
from twosup_chain._usage import Seconds, Usage, clean_usage, summed
from twosup_chain.errors import AnswererError, InputError, NoTrustedAnswerError

#: A text, in which lone surrogates are replaced.
_Text = Annotated[str | None, BeforeValidator(lambda value: scalar_text(value) if isinstance(value, str) else value)]
Status = Literal["answered", "unanswerable", "untrusted"]
Source = Literal["local", "remote", "fallback", "none"]


def _labels(value: object) -> dict[str, Any]:
    """Returns options as labels with their descriptions; a mapping that is one stays itself, for many questions."""
    if isinstance(value, dict) and all(isinstance(label, str) for label in value):
        return value
    if isinstance(value, (list, tuple)) and all(isinstance(label, str) for label in value):
        return dict.fromkeys(value)
    raise InputError(f"options={shorten(value)}: pass the labels, or a dict of them with their descriptions")


#: What a decision may end in: labels with their descriptions, ``None`` for none. A list of labels is taken as well.
Labels = Annotated[dict[str, Any], PlainValidator(_labels)]


class QAInput(Record):
    """A question, and the text that the answer must come from.

    Args:
        question: The question; not blank.
        context: A string, a list of strings or a list of LangChain `Document`s. ``None`` means "no passage was given"
            (only a model that knows things by itself can answer); an empty list means "nothing was found". Lone
            surrogates, which no encoder takes, become U+FFFD one for one, so that offsets stay true.
        id: The question's id in a data set.
        options: For a decision, what its answer must be one of: labels with their descriptions (``None`` for none). A
            question without options is answered freely.

    Raises:
        InputError: A field has the wrong type, or the question is blank.
    """

    question: str
    context: str | tuple[str | Document, ...] | None = None
    id: str | None = None
    options: Labels = Field(default_factory=dict)

    if TYPE_CHECKING:

        def __init__(
            self,
            question: str,
            context: str | Document | Sequence[str | Document] | None = None,
            id: str | None = None,
            options: Mapping[str, Any] | Sequence[str] = (),
        ) -> None: ...

    @field_validator("question", mode="before")
    @classmethod
    def _check_question(cls, value: object) -> str:
        if not isinstance(value, str):
            raise InputError(f"question={shorten(value)} is a {type(value).__name__}: pass the question as a string")
        if not value.strip():
            raise InputError(f"question={shorten(value)} is blank: ask something")
        return scalar_text(value)

    @field_validator("context", mode="before")
    @classmethod
    def _check_context(cls, value: object) -> str | tuple[str | Document, ...] | None:
        if value is None or isinstance(value, str):
            return value if value is None else scalar_text(value)
        if isinstance(value, (Document, dict)):
            value = [value]
        if not isinstance(value, (list, tuple)):
            raise InputError(_context_message("context", value))
        return tuple(_scalar_passage(f"context[{i}]", passage) for i, passage in enumerate(value))

    @field_serializer("context")
    def _write_context(self, value: str | tuple[str | Document, ...] | None) -> Any:
        """Writes documents so that they can be read again, their metadata as JSON holds them."""
        if not isinstance(value, tuple):
            return value
        return [_written(p) if isinstance(p, Document) else p for p in value]

    @property
    def passages(self) -> tuple[str, ...]:
        """The texts of the context, one a document; empty where no context was given."""
        if self.context is None:
            return ()
        if isinstance(self.context, str):
            return (self.context,)
        return tuple(p.page_content if isinstance(p, Document) else p for p in self.context)

    @property
    def texts(self) -> tuple[str, ...]:
        """All texts that a model is shown."""
        return (self.question, *self.passages)

    @classmethod
    def coerce(cls, value: object) -> QAInput:
        """Returns `value` as a `QAInput`: a `QAInput`, a bare question, or a dict with the fields of one.

        The keys ``"result"`` and ``"messages"``, which a chain and a chat model add, are passed over, so that every
        answerer can be a part of either.

        Raises:
            InputError: `value` is none of these, or the dict has a key that is no field.
        """
        if isinstance(value, cls):
            return value
        if isinstance(value, str):
            return cls(question=value)
        if isinstance(value, dict):
            return cls(**fields_of(value, cls.model_fields))
        raise InputError(
            f"the input {shorten(value)} is a {type(value).__name__}: pass a question (str), "
            "a dict {'question': …, 'context': …} or a QAInput"
        )

    def as_dict(self) -> dict[str, Any]:
        """Returns ``{"question", "context"}``, and ``"id"`` and ``"options"`` where there are any, as parts take it."""
        context = list(self.context) if isinstance(self.context, tuple) else self.context
        more = {"id": self.id, "options": self.options}
        return {"question": self.question, "context": context, **{name: value for name, value in more.items() if value}}

    def __getitem__(self, key: str) -> Any:
        """Returns the field of this name, so that a function may treat its input as a dict."""
        if key not in type(self).model_fields:
            raise KeyError(key)
        return getattr(self, key)


#: By how much a log-probability may exceed 0 before it is taken for something else.
_ROUNDING = 1e-3

#: What may be asked: a bare question, a dict with the fields of a `QAInput`, or a `QAInput`.
QAInputLike = str | dict[str, Any] | QAInput


class TokenLogprob(Record):
    """One generated token and the natural logarithm of its probability, in (-inf, 0].

    Args:
        token: The token's text; ``None`` where the provider does not tell.
        logprob: The natural logarithm of the probability that the model gave to this token.
        top: The likeliest tokens at this place and their log-probabilities, best first, where they were asked for.
    """

    token: _Text
    logprob: float
    top: tuple[tuple[str, float], ...] = ()

    @field_validator("logprob")
    @classmethod
    def _check_logprob(cls, value: float) -> float:
        if math.isnan(value) or value > _ROUNDING:
            raise InputError(f"logprob={value!r} is not the logarithm of a probability: it must be at most 0")
        return min(value, 0.0)


def _token_logprob(value: object) -> object:
    if isinstance(value, (int, float)):
        return TokenLogprob(token=None, logprob=float(value))
    if isinstance(value, (list, tuple)):
        return TokenLogprob(**dict(zip(("token", "logprob", "top"), value, strict=False)))
    return value


class Candidate(Record):
    """One span that the extractive reader considered.

    Args:
        text: The span.
        start: Where it starts in its document, in characters.
        end: Where it ends (exclusive).
        document: The index of its document in the context.
        probability: Its share of the joint probability of all spans of all documents and of "no answer", in [0, 1].
    """

    text: str
    start: int
    end: int
    document: int
    probability: float


class AnswerFields(TypedDict, total=False):
    """The fields of an `Answer` by name and type, as an editor and a type checker know them."""

    scores: Mapping[str, float]
    probabilities: Mapping[str, float]
    token_logprobs: Sequence[TokenLogprob | tuple[str, float] | float] | None
    start: int | None
    end: int | None
    document: int | None
    candidates: Sequence[Candidate]
    usage: UsageMetadata | Mapping[str, Any] | None
    seconds: float | None
    model: str | None


class Answer(Record):
    """What a model predicts, and the evidence for how far it can be trusted.

    Args:
        text: The answer; ``None`` is the prediction that the context does not hold one.
        scores: Named evidence in the model's own units (``answerability``, ``span_probability``, …).
        probabilities: For a decision, the probability of every option, in [0, 1]; empty where the model gives none.
        token_logprobs: The generated tokens with their log-probabilities. Plain numbers and ``(token, logprob)`` pairs
            are taken as well.
        start: Where the answer starts in its document, in characters; ``None`` for a generated answer.
        end: Where it ends (exclusive).
        document: The index of its document in the context.
        candidates: The best spans, best first; a reader keeps them even when its answer is ``None``.
        usage: Tokens in LangChain's terms (``input_tokens``, ``output_tokens``, ``total_tokens``).
        seconds: How long the model took, in seconds of wall time.
        model: The model's name.
    """

    text: _Text
    scores: dict[str, float] = Field(default_factory=dict)
    probabilities: dict[str, float] = Field(default_factory=dict, repr=False)
    token_logprobs: tuple[Annotated[TokenLogprob, BeforeValidator(_token_logprob)], ...] | None = None
    start: int | None = None
    end: int | None = None
    document: int | None = None
    candidates: tuple[Candidate, ...] = ()
    usage: Usage = None
    seconds: Seconds = None
    model: _Text = None

    def __init__(self, text: str | None, **fields: Unpack[AnswerFields]) -> None:
        super().__init__(text=text, **fields)


class Evidence(Record):
    """What a supervisor judges: the prediction, with the local one where it is the hosted model's.

    `weigh`, ``"local"`` or ``"remote"``, tells it to weigh the prediction against those that could be made in its
    stead, once the model of this role has answered.
    """

    input: QAInput
    answer: Answer
    local: Answer | None = None
    weigh: Literal["local", "remote"] | None = None


class Verdict(Record):
    """What a supervisor says of an answer: trusted if and only if ``score >= threshold``.

    Args:
        score: The trust score, in [0, 1]; higher is more trustworthy. Where predictions were weighed, that of the one
            chosen.
        threshold: The least score that is trusted.
        trusted: Whether the answer is trusted.
        scorer: The scorer's name.
        chosen: Where predictions were weighed, which has the highest score: ``"answer"``, the one that was judged,
            ``"local"``, the local answer in place of the hosted one, or ``"unanswerable"``; else ``None``.
        weighed: The scores of all of them by these names; empty where none were weighed.
    """

    score: float
    threshold: float
    trusted: bool
    scorer: str
    chosen: Literal["answer", "local", "unanswerable"] | None = Field(default=None, repr=False)
    weighed: dict[str, float] = Field(default_factory=dict, repr=False)


class Citation(Record):
    """A place in the documents where an answer stands.

    Args:
        document: The index of the document in the context; 0 where the context is one string.
        start: Where the answer starts in that document, in characters.
        end: Where it ends (exclusive).
        text: What stands there, letter for letter.
        metadata: The document's metadata as JSON holds it; empty where it was given as a string.
    """

    document: int
    start: int
    end: int
    text: str
    metadata: Annotated[dict[str, Any], BeforeValidator(plain)] = Field(default_factory=dict)


class TwoSupervisorResult(Record):
    """The outcome of a `TwoSupervisorChain` call, with everything that led to it.

    Args:
        answer: The answer; ``None`` where there is none that can be trusted.
        status: ``"answered"``; ``"unanswerable"`` (a trusted prediction that the context holds no answer);
            ``"untrusted"`` (nobody could be trusted).
        source: Whose prediction this is; ``"none"`` for ``"untrusted"``, and where the supervisors themselves concluded
            that there is no answer, against what the models said.
        local: The local model's answer, rejected or not.
        remote: The hosted model's answer, rejected or not; ``None`` if it was not asked, or failed.
        local_verdict: The first supervisor's verdict.
        remote_verdict: The second supervisor's verdict.
        reason: Why the outcome is what it is, in words.
        citations: Where the answer stands in the documents, the likeliest place first; empty where it stands nowhere
            word for word, and where there is none.
        error: How the remote failed, or the supervisor of its answer, where it did: the error's class and message. How
            another part failed is in the reason.
        usage: Tokens spent by both models, those of rejected answers included; ``None`` where neither reports any.
        seconds: Wall time of the whole call, in seconds; in a batch, until this question was decided.
    """

    answer: str | None
    status: Status
    source: Source
    local: Answer | None = None
    remote: Answer | None = None
    local_verdict: Verdict | None = None
    remote_verdict: Verdict | None = None
    reason: str = ""
    citations: tuple[Citation, ...] = ()
    error: str | None = None
    usage: Usage = None
    seconds: float = 0.0

    def as_text(self, no_answer: str) -> str:
        """Returns the answer, or `no_answer` where there is none."""
        return no_answer if self.answer is None else self.answer

    def raise_for_status(self) -> Self:
        """Returns the result itself, unless nobody could be trusted.

        Raises:
            NoTrustedAnswerError: The status is ``"untrusted"``.
        """
        if self.status == "untrusted":
            raise NoTrustedAnswerError(self)
        return self


def total_usage(*replies: Answer | AnswererError | NoTrustedAnswerError | None) -> UsageMetadata | None:
    """Returns the tokens of answers, and of replies that were none, together; ``None`` where nothing reports any."""
    usages = [clean_usage(reply.usage) for reply in replies if reply is not None]
    return summed([usage for usage in usages if usage is not None])


def _scalar_passage(field: str, passage: object) -> str | Document:
    if isinstance(passage, str):
        return scalar_text(passage)
    if isinstance(passage, Document):
        text = scalar_text(passage.page_content)
        return passage if text is passage.page_content else passage.model_copy(update={"page_content": text})
    if isinstance(passage, dict) and isinstance(passage.get("page_content"), str):
        return _scalar_passage(field, _document(passage))
    raise InputError(_context_message(field, passage))


def _written(document: Document) -> dict[str, Any]:
    """Returns a document as `_document` reads it."""
    written = {"page_content": document.page_content, "metadata": plain(document.metadata), "type": "Document"}
    return written if document.id is None else {**written, "id": document.id}


def _document(fields: dict[str, Any]) -> Document:
    """Returns a document that was written down with its question."""
    metadata, identity = fields.get("metadata"), fields.get("id")
    return Document(
        page_content=fields["page_content"],
        metadata=metadata if isinstance(metadata, dict) else {},
        id=None if identity is None else str(identity),
    )


def _context_message(field: str, value: object) -> str:
    return (
        f"{field}={shorten(value)} is a {type(value).__name__}: "
        "pass the context as a string, a list of strings or a list of Documents"
    )
