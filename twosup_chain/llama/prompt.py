"""A conversation as the tokens of a GGUF model's chat template, one segment a message.

Whatever the messages hold, none of it counts as a special token. Earlier messages stand in segments of their own, so
that the model need not read them again at the next turn.
"""

import json
import re
from collections.abc import Sequence

from langchain_core.messages import AIMessage, BaseMessage, ChatMessage, HumanMessage, SystemMessage, ToolMessage

from twosup_chain._options import shorten
from twosup_chain.errors import InputError
from twosup_chain.llama.model import LlamaModel

# Where something stands in the text of a chat template.
_PLACE = re.compile("\ue000(\\d+)\ue000")


def slot(number: int) -> str:
    """Returns what stands in a template for a content."""
    return f"\ue000{number}\ue000"


def fill(model: LlamaModel, template: str, contents: Sequence[str]) -> list[list[int]]:
    """Returns the tokens of a filled template, alternately those of a piece of it and those of a content.

    Only what the template itself says counts as special tokens. They are split as the model would split them: a space
    belongs to the word after it. `template` has a `slot` for each content by number.
    """
    *parts, end = _PLACE.split(template)
    tokens: list[list[int]] = []
    for piece, number in zip(parts[::2], parts[1::2], strict=True):
        trusted = piece.rstrip(" ")
        tokens.append(model.tokenize(trusted, special=True, start=not tokens))
        tokens.append(model.tokenize(contents[int(number)], spaced=trusted != piece))
    return [*tokens, model.tokenize(end, special=True)]


def prompt_segments(model: LlamaModel, messages: Sequence[BaseMessage]) -> list[list[int]]:
    """Returns the prompt that asks for the next message of a conversation.

    Consecutive messages of one role become one, since many templates insist on turns; system messages after the first
    one are put where they stand, as the user's.
    """
    turns = _turns(messages)
    template = model.render([{"role": role, "content": slot(i)} for i, (role, _) in enumerate(turns)])
    *tokens, end = fill(model, template, [content for _, content in turns])
    segments = [before + content for before, content in zip(tokens[::2], tokens[1::2], strict=True)]
    return [segment for segment in (*segments, end) if segment]


def _turns(messages: Sequence[BaseMessage]) -> list[tuple[str, str]]:
    """Returns roles and contents; a template knows ``system`` (first only), ``user`` and ``assistant``."""
    turns: list[tuple[str, str]] = []
    for item in messages:
        role, content = _turn(item)
        if role == "system" and turns and turns[-1][0] != "system":
            role = "user"
        if turns and turns[-1][0] == role:
            turns[-1] = (role, f"{turns[-1][1]}\n\n{content}")
        else:
            turns.append((role, content))
    if not turns:
        raise InputError("the conversation is empty: pass at least one message")
    if turns[0][0] == "system" and len(turns) == 1:
        return [("user", turns[0][1])]
    return turns


def _turn(message: BaseMessage) -> tuple[str, str]:
    text = _text(message)
    match message:
        case SystemMessage():
            return "system", text
        case AIMessage():
            calls = [{"name": call["name"], "arguments": call["args"]} for call in message.tool_calls]
            return "assistant", "\n".join(filter(None, [text, json.dumps(calls) if calls else ""]))
        case ToolMessage():
            return "user", f"Result of {message.name or 'the tool'}: {text}"
        case HumanMessage():
            return "user", f"{message.name}: {text}" if message.name else text
        case ChatMessage():
            return message.role, text
    error = f"the model cannot be given a {type(message).__name__}: pass human, AI, system and tool messages"
    raise InputError(error)


def _text(message: BaseMessage) -> str:
    for block in message.content if isinstance(message.content, list) else ():
        kind = "text" if isinstance(block, str) else block.get("type")
        if kind not in ("text", "tool_use", "tool_call", "reasoning", "thinking"):
            error = f"content={shorten(block)} is of type {kind!r}: a GGUF model reads text only, pass text"
            raise InputError(error)
    return message.text
