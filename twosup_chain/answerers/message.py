"""How a LangChain message becomes an `Answer`: its text, its cost, its author, and why it may be no answer at all.

No model is called here.
"""

from collections.abc import Collection, Sequence
from typing import Any

from langchain_core.messages import BaseMessage
from langchain_core.messages.ai import UsageMetadata

from twosup_chain._options import shorten
from twosup_chain._usage import clean_usage
from twosup_chain.answerers.choice import label_probabilities, read_label
from twosup_chain.answerers.logprobs import token_logprobs
from twosup_chain.answerers.prompt import parse_reply
from twosup_chain.errors import AnswererError, EmptyAnswerError, NotTextError, RefusalError
from twosup_chain.schema import Answer

#: Why a reply ended, in the words of OpenAI and Azure, Anthropic, Bedrock, Google and Cohere, where it was withheld.
REFUSALS = frozenset(
    {
        "content_filter",
        "refusal",
        "content_filtered",
        "guardrail_intervened",
        "safety",
        "image_safety",
        "recitation",
        "blocklist",
        "prohibited_content",
        "spii",
        "model_armor",
        "error_toxic",
    }
)


def answer_from_message(
    message: BaseMessage, passages: Sequence[str] = (), longest: int | None = None, options: Collection[str] = ()
) -> Answer:
    """Returns the answer that a message holds.

    A reasoning that the message shows (a ``thinking`` or ``reasoning`` block, or text up to ``</think>``) is no part of
    it, and the tokens of it are no evidence. A reply that says "unanswerable" is an answer whose text is ``None``. Of a
    reply only the first `longest` characters are read, all by default. With `options` the answer is the one that the
    reply names, and has the probabilities of all where the tokens tell.
    """
    try:
        reply = _reply(message)
        text = read_label(reply[:longest], options) if options else parse_reply(reply[:longest], passages)
    except AnswererError as error:
        error.usage = usage_of(message)
        raise
    tokens = token_logprobs(message.response_metadata, reply)
    return Answer(
        text,
        probabilities=label_probabilities(tokens, str(text), options) if options and tokens else {},
        token_logprobs=tokens,
        usage=usage_of(message),
        model=model_of(message),
    )


def _reply(message: BaseMessage) -> str:
    """Returns the text that is meant as the answer, untrimmed."""
    refusal = refusal_in(message)
    if refusal:
        raise RefusalError(f"the provider gave no answer: {refusal}")
    calls = [*getattr(message, "tool_calls", ()), *getattr(message, "invalid_tool_calls", ())]
    if calls or message.additional_kwargs.get("function_call"):
        names = ", ".join(str(call.get("name")) for call in calls)
        raise NotTextError(f"the reply calls a tool ({names}) instead of answering: give the model none")
    reply = _after_thinking(message.text)
    if reply.strip():
        return reply
    others = sorted({str(kind) for kind in map(_kind, _blocks(message)) if kind not in _SILENT})
    if others:
        raise NotTextError(f"the reply holds no text, only: {', '.join(others)}")
    raise EmptyAnswerError(f"the reply holds no text ({_ending(message) or 'no reason given'})")


#: Content blocks that come with an answer without being one.
_SILENT = frozenset({"text", "output_text", "reasoning", "thinking", "redacted_thinking", "reasoning_content"})


def refusal_in(message: BaseMessage) -> str | None:
    """Returns the provider's words, or else its reason, where it refused or filtered the reply."""
    words = message.additional_kwargs.get("refusal")
    if words:
        return shorten(words, 200)
    for block in _blocks(message):
        if _kind(block) == "refusal":
            return shorten(block.get("refusal") or "refusal", 200)
    ending = _ending(message)
    if ending.lower() in REFUSALS:
        return ending
    feedback = message.response_metadata.get("prompt_feedback")
    blocked = feedback.get("block_reason") if isinstance(feedback, dict) else None
    return f"the prompt was blocked ({blocked})" if blocked and not message.text.strip() else None


def _ending(message: BaseMessage) -> str:
    """Returns the provider's reason why the reply ended, as the provider spells it; empty where it gives none."""
    metadata = message.response_metadata
    details = metadata.get("incomplete_details")
    reason = (
        metadata.get("finish_reason")
        or metadata.get("stop_reason")
        or metadata.get("stopReason")
        or (details.get("reason") if isinstance(details, dict) else None)
    )
    return str(reason or "")


def _blocks(message: BaseMessage) -> list[dict[str, Any]]:
    """Returns the content blocks that are dicts, those of LangChain's wrapper for foreign ones unwrapped."""
    content = message.content if isinstance(message.content, list) else ()  # not the letters of a text
    blocks = [block for block in content if isinstance(block, dict)]
    return [block["value"] if isinstance(block.get("value"), dict) else block for block in blocks]


def _kind(block: dict[str, Any]) -> str | None:
    kind = block.get("type")
    return kind if isinstance(kind, str) else None


def _after_thinking(text: str) -> str:
    """Returns what follows an inline reasoning; nothing, where the reply was cut off while the model still reasoned."""
    _, mark, rest = text.rpartition("</think>")
    return "" if not mark and text.lstrip().startswith("<think>") else rest


def model_of(message: BaseMessage) -> str | None:
    """Returns the name of the model that wrote a message, where it tells."""
    model = message.response_metadata.get("model_name") or message.response_metadata.get("model")
    return model if isinstance(model, str) and model else None


def usage_of(message: BaseMessage) -> UsageMetadata | None:
    """Returns the tokens that a message cost, in LangChain's terms; ``None`` where it does not tell."""
    metadata = message.response_metadata
    told = (getattr(message, "usage_metadata", None), metadata.get("token_usage"), metadata.get("usage"))
    return next(filter(None, map(clean_usage, told)), None)
