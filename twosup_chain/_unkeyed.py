"""Errors without keys: those that a server has echoed are taken out before a trace, a result or a file keeps them.

Whatever a part raises passes here: on its way to the callbacks, and on its way into a flow.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain
from typing import Any

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.outputs import LLMResult
from langchain_core.runnables import Runnable
from pydantic import BaseModel, SecretBytes, SecretStr

from twosup_chain._options import Record
from twosup_chain._secrets import LEAST_SECRET, scrub
from twosup_chain.errors import AnswererError, ConfigurationError

#: What a plain string is called that is a key.
_NAMES = re.compile(r"(?:key|token|secret|password|authorization)$", re.IGNORECASE)
#: How deep parts are searched for keys, and errors for texts.
_DEEPEST = 8


def scrub_error(error: Exception, part: object = None) -> Exception:
    """Takes keys out of an error and out of those behind it, in place: it stays the same for who handles it."""
    secrets = secrets_of(part)
    causes: list[BaseException] = [error]
    for one in causes:  # grows meanwhile
        behind = (one.__cause__, one.__context__, *getattr(one, "exceptions", ()))
        causes += [other for other in behind if isinstance(other, BaseException) and other not in causes]
        _scrub_fields(one, ("args", *vars(one), "strerror", "msg"), secrets)
    said = str(error)
    clean = scrub(said, *secrets)
    if clean == said:
        return error
    kind = ConfigurationError if isinstance(error, ValueError) else AnswererError
    other = kind(f"{type(error).__name__}: {clean}")
    other.__suppress_context__ = True
    return other


def _scrub_fields(one: object, names: Iterable[str], secrets: list[str]) -> None:
    for name in names:
        with suppress(Exception):  # whatever a foreign class allows
            before = getattr(one, name)
            if (after := _scrubbed(before, secrets)) != before:
                setattr(one, name, after)


def _scrubbed(value: Any, secrets: list[str], depth: int = 0) -> Any:
    if isinstance(value, str):
        return scrub(value, *secrets)
    if isinstance(value, bytes):
        return scrub(value.decode(errors="surrogateescape"), *secrets).encode(errors="surrogateescape")
    if depth < _DEEPEST and type(value) in (list, tuple):
        return type(value)(_scrubbed(item, secrets, depth + 1) for item in value)
    if depth < _DEEPEST and type(value) is dict:
        return {key: _scrubbed(item, secrets, depth + 1) for key, item in value.items()}
    return value


def secrets_of(part: object) -> list[str]:
    """Returns the keys that a part and those below it hold."""
    return [secret for secret in set(_held(part, set())) if len(secret) >= LEAST_SECRET]


def _held(value: object, seen: set[int], name: str = "", depth: int = 0) -> Iterator[str]:
    """Yields the keys in a value; a plain string is one where its name, or that of a header, says so."""
    if isinstance(value, (SecretStr, SecretBytes)):
        secret = value.get_secret_value()
        yield secret if isinstance(secret, str) else secret.decode(errors="replace")
    elif isinstance(value, str):
        if _NAMES.search(name):
            yield value.removeprefix("Bearer ")
    elif id(value) not in seen and depth < _DEEPEST and not isinstance(value, Record):
        seen.add(id(value))
        if isinstance(value, (list, tuple)):
            items = [(name, item) for item in value]
        elif isinstance(value, (Runnable, BaseModel)):
            items = list(vars(value).items())
        else:
            items = list(value.items()) if isinstance(value, dict) else []
        for key, item in items:
            yield from _held(item, seen, str(key), depth + 1)


class Scrubber(BaseCallbackHandler):
    """Is told of the errors of a part before any other handler, and takes the keys out of them."""

    run_inline = True
    ignore_chat_model = ignore_retry = ignore_agent = ignore_custom_event = True

    def __init__(self, part: object) -> None:
        self._part = part

    def __hash__(self) -> int:
        """Keeps the first place among the handlers, which LangChain merges as sets."""
        return 0

    def on_llm_error(self, error: BaseException, *, response: LLMResult | None = None, **_: Any) -> None:
        """Takes the keys out, also of the message that LangChain makes of the server's reply (its body and headers)."""
        if isinstance(error, Exception):
            scrub_error(error, self._part)
        secrets = secrets_of(self._part)
        for generation in chain.from_iterable(response.generations if response is not None else ()):
            for one in (generation, getattr(generation, "message", None)):
                _scrub_fields(one, list(vars(one)) if one is not None else (), secrets)

    on_chain_error = on_tool_error = on_retriever_error = on_llm_error


def scrub_first(manager: Any, part: object) -> None:
    """Lets a callback manager's handlers, and those of the runs below, see no key in an error of this part."""
    scrubber = Scrubber(part)
    for handlers in (manager.handlers, manager.inheritable_handlers):
        handlers.insert(0, scrubber)
