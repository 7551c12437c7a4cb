"""The keys of an input: an unknown one is named, with the field that it is another word for."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from twosup_chain.errors import InputError, UnknownOptionError

#: What a chain adds to what its fallback is given, and a chat model to what all are given.
_ADDED = ("result", "messages")
#: What others call the fields.
_OTHER_WORDS = {
    "question": {"input", "query", "q", "text", "prompt", "message", "user_input", "user_query", "ask", "request"},
    "context": {"passage", "passages", "document", "documents", "docs", "contexts", "source", "sources", "chunks"},
}


def fields_of(given: dict[Any, Any], known: Collection[str]) -> dict[str, Any]:
    """Returns the fields of an input, without what a chain or a chat model has added to it.

    Raises:
        InputError: A key is none of the known ones, or there are messages and no question.
    """
    fields = {key: value for key, value in given.items() if key not in _ADDED}
    for key in map(str, fields):
        if key not in known:
            meant = next((field for field, words in _OTHER_WORDS.items() if key.lower() in words), None)
            raise InputError(str(UnknownOptionError("key of the input", key, known, meant=meant)))
    if "messages" in given and "question" not in fields:
        raise InputError(
            "the input holds messages and no 'question': pass {'question': …, 'context': …}; a conversation is "
            "answered by TwoSupervisorChatModel, and QuestionCondenser makes one question of it"
        )
    return fields
