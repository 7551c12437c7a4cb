"""Listens to a draft while it is being written: what it came to so far, and whether it can still be trusted.

It does no waiting and no calling, so that one listener serves synchronous and asynchronous streams.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, message_chunk_to_message
from langchain_core.messages.ai import UsageMetadata, add_ai_message_chunks
from langchain_core.messages.utils import count_tokens_approximately

from twosup_chain.answerers.logprobs import token_logprobs
from twosup_chain.answerers.message import usage_of
from twosup_chain.chat._draft import Draft, read_draft
from twosup_chain.errors import DraftStoppedError, EmptyAnswerError
from twosup_chain.schema import Verdict
from twosup_chain.scoring.tokens import content_tokens

_THINKING, _THOUGHT = "<think>", "</think>"


@dataclass(frozen=True)
class Bound:
    """Says of a reply that is being written when its score can no longer reach the threshold."""

    highest: Callable[[Sequence[float], float], float]  # of the content tokens so far, and how many may follow
    threshold: float
    scorer: str
    longest: float  # the most tokens that the reply may have; infinite where nobody knows

    def verdict(self, logprobs: Sequence[float], seen: int) -> Verdict | None:
        """Returns the verdict, where it stands fast that the reply is not trusted."""
        score = self.highest(logprobs, max(self.longest - seen, 0))
        if not logprobs or score >= self.threshold:
            return None
        return Verdict(score=min(max(score, 0.0), 1.0), threshold=self.threshold, trusted=False, scorer=self.scorer)


@dataclass
class Listener:
    """Collects the chunks of one draft."""

    asked: Sequence[BaseMessage]
    bound: Bound | None
    faulty_calls: bool  # whether tool calls that cannot be parsed are passed on
    shows: bool = False  # whether the chunks are passed on while they come
    shown: bool = False  # whether one has been
    rejected: Verdict | None = None
    tokens: int = 0
    _chunks: list[AIMessageChunk] = field(default_factory=list)
    _whole: AIMessage | None = None  # from a model that does not stream
    _text: str = ""
    _logprobs: list[float] = field(default_factory=list)

    @property
    def heard(self) -> bool:
        """Whether any of the reply has come."""
        return bool(self._chunks) or self._whole is not None

    def hear(self, chunk: BaseMessage) -> DraftStoppedError | None:
        """Takes the next chunk; returns why the draft is not worth going on with, where it is not."""
        self._take(chunk)
        if self.rejected is None:
            self.shown = self.shown or self.shows
            return None
        return DraftStoppedError(
            f"stopped after {self.tokens} tokens: {self.rejected.scorer} can reach {self.rejected.score:.3f} at most, "
            f"and {self.rejected.threshold:.3f} is asked for"
        )

    def _take(self, chunk: BaseMessage) -> None:
        if not isinstance(chunk, AIMessageChunk):
            self._whole = chunk if isinstance(chunk, AIMessage) else AIMessage(chunk.text)
            return
        self._chunks.append(chunk)
        tokens = token_logprobs(chunk.response_metadata) or ()
        self.tokens += len(tokens)
        if self.bound is None or not chunk.text or chunk.tool_call_chunks:
            return
        self._text += chunk.text
        if _thinks(self._text):
            self._logprobs = []  # a reasoning is no part of the answer
            return
        self._logprobs += [token.logprob for token in content_tokens(tokens)]
        self.rejected = self.bound.verdict(self._logprobs, self.tokens)

    def draft(self, context: Any) -> Draft:
        """Returns what was written, and must come from this context."""
        message = self._message()
        chunks = tuple(self._chunks)
        if self.rejected is None:
            return read_draft(message, context, faulty_calls=self.faulty_calls, chunks=chunks, shown=self.shows)
        usage, estimated = usage_of(message), False
        if usage is None:
            read = count_tokens_approximately(self.asked)
            usage = UsageMetadata(input_tokens=read, output_tokens=self.tokens, total_tokens=read + self.tokens)
            estimated = True
        return Draft(
            text=message.text,
            message=message,
            chunks=chunks,
            rejected=self.rejected,
            usage=usage,
            usage_estimated=estimated,
            shown=self.shows,
            model=_model(self._chunks),
        )

    def _message(self) -> AIMessage:
        if self._whole is not None:
            return self._whole
        if not self._chunks:
            raise EmptyAnswerError("the stream held no message")
        message = message_chunk_to_message(add_ai_message_chunks(self._chunks[0], *self._chunks[1:]))
        assert isinstance(message, AIMessage)  # noqa: S101 - what an AIMessageChunk becomes
        return message


def _thinks(text: str) -> bool:
    """Whether a reply is, or may turn out to be, at an inline reasoning or the mark that ends it."""
    start = text.lstrip()
    if start.startswith(_THINKING) and _THOUGHT not in text:
        return True
    return _THINKING.startswith(start) or text.endswith(_THOUGHT)


def _model(chunks: Sequence[AIMessageChunk]) -> str | None:
    names = [chunk.response_metadata.get("model_name") for chunk in chunks]
    return next((name for name in names if isinstance(name, str)), None)


def longest_reply(model: object, options: dict[str, object]) -> float:
    """Returns the most tokens that a model writes; ``math.inf`` where it does not say."""
    limit = options.get("max_tokens")
    while limit is None and hasattr(model, "bound"):
        limit = getattr(model, "kwargs", {}).get("max_tokens")
        model = model.bound
    for name in ("max_tokens", "max_completion_tokens", "num_predict"):
        limit = getattr(model, name, None) if limit is None else limit
    return float(limit) if isinstance(limit, int) and limit > 0 else math.inf
