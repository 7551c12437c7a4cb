"""`most_tokens`: how many tokens a hosted model can read, at most, of what it is asked; nothing is looked up for it.

No tokenizer of a hosted model makes more than one token of a byte of text. That bounds any model's count, where a
tokenizer (tiktoken) knows only OpenAI's, needs its vocabularies from the network at the first use, and knows neither
tools nor images.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from twosup_chain.chat._draft import Turn
from twosup_chain.schema import QAInput

#: What a message adds to its content, in tokens: its role, its name, what stands between.
_MESSAGE = 16
#: The parts of a message that are images, and those of which nobody knows how many tokens they have.
_IMAGES = frozenset({"image", "image_url", "input_image"})
_OTHERS = frozenset({"audio", "input_audio", "video", "file", "input_file", "document"})


class UnboundedError(ValueError):
    """Something is asked about of which nobody knows how many tokens it has."""


def most_tokens(asked: QAInput, *, image_tokens: int | None) -> int:
    """Returns a bound of the tokens of question and context, or of a conversation with its tools and forms.

    Args:
        asked: What is asked; of a chat model's turn, all that is sent with it.
        image_tokens: The most tokens that an image has; ``None``: nobody knows.

    Raises:
        UnboundedError: There is an image, and nobody knows; or a part of another kind, such as a file.
    """
    bare = _of((asked.question, *asked.passages, asked.options), image_tokens)
    if not isinstance(asked, Turn):
        return bare
    told = [
        part
        for message in asked.messages
        for part in (message.content, message.name, message.additional_kwargs, getattr(message, "tool_calls", ()))
    ]
    called_with = len(json.dumps(asked.called_with, default=str).encode())
    return max(bare, _of(told, image_tokens) + _MESSAGE * len(asked.messages) + called_with)


def _of(value: Any, image_tokens: int | None) -> int:
    if isinstance(value, str):
        return len(value.encode(errors="replace"))
    if isinstance(value, Mapping):
        kind = value.get("type")
        if kind in _OTHERS:
            raise UnboundedError(f"it has a part of the type {kind!r}, of which nobody knows how many tokens it has")
        if kind in _IMAGES:
            if image_tokens is None:
                raise UnboundedError("it has an image: say how many tokens one has at most (image_tokens)")
            return image_tokens
        return sum(_of(name, image_tokens) + _of(found, image_tokens) for name, found in value.items())
    if isinstance(value, Iterable):
        return sum(_of(found, image_tokens) for found in value)
    return 0 if value is None else len(str(value))
