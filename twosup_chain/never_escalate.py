"""`NeverEscalate`: rules that keep a question on this machine, by what it says, by its metadata or by a function.

The chain asks them before anything is asked that may be elsewhere, in every call style.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Annotated, Any

from langchain_core.documents import Document
from langchain_core.runnables import RunnableConfig, RunnableSerializable
from langchain_core.runnables.config import run_in_executor
from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from twosup_chain._options import Options, shorten
from twosup_chain._own import load_own
from twosup_chain.errors import ConfigurationError, RemoteWithheldError
from twosup_chain.schema import QAInput

#: A function of the question and the call's metadata that tells whether the question stays.
Stays = Callable[[QAInput, dict[str, Any]], bool]


def _compiled(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return re.compile(value)
    except re.error as error:
        message = f"never_escalate: pattern={shorten(value)} is no regular expression: {error}"
        raise ConfigurationError(message) from None


class Rule(Options):
    """Keeps a question on this machine. Exactly one of its fields is given.

    Args:
        pattern: A regular expression, searched in all texts that would leave: question, passages, messages.
        metadata: Values by key; each must be that of the call's metadata (``config={"metadata": …}``) or of the
            metadata of one document of the context. A list is met by each of its values.
        function: A function of the `QAInput` and the call's metadata that tells whether the question stays, or
            ``"module:name"`` of one; where it raises, the question stays.
    """

    model_config = ConfigDict(frozen=True)

    pattern: Annotated[re.Pattern[str] | None, BeforeValidator(_compiled)] = None
    metadata: dict[str, Any] | None = Field(default=None, min_length=1)
    function: Annotated[
        Stays | None,
        BeforeValidator(lambda spec: load_own(spec, "never_escalate") if isinstance(spec, str) else spec),
    ] = None

    @model_validator(mode="after")
    def _check_one(self) -> Rule:
        if sum(given is not None for given in (self.pattern, self.metadata, self.function)) == 1:
            return self
        raise ConfigurationError("never_escalate: a rule has one of pattern=…, metadata={…} and function=…")

    def reason(self, asked: QAInput, metadata: dict[str, Any]) -> str | None:
        """Returns why a question stays, in words that do not quote it; ``None`` where this rule lets it go."""
        if self.pattern is not None:
            found = any(self.pattern.search(text) for text in asked.texts)
            return f"pattern {shorten(self.pattern.pattern)}" if found else None
        if self.metadata is not None:
            documents = asked.context if isinstance(asked.context, tuple) else ()
            all_of_them = (metadata, *(d.metadata for d in documents if isinstance(d, Document)))
            return f"metadata {shorten(self.metadata)}" if any(map(self._meets, all_of_them)) else None
        assert self.function is not None  # noqa: S101  it is the third of three
        name = getattr(self.function, "__name__", type(self.function).__name__)
        try:
            return f"function {name}" if self.function(asked, metadata) else None
        except Exception as error:  # noqa: BLE001 (what cannot be judged stays)
            return f"function {name} failed: {type(error).__name__}"

    def _meets(self, found: dict[str, Any]) -> bool:
        wanted = {key: value if isinstance(value, list) else [value] for key, value in (self.metadata or {}).items()}
        return all(key in found and found[key] in values for key, values in wanted.items())


class NeverEscalate(RunnableSerializable[QAInput, None], Options):
    """Raises `RemoteWithheldError` for a question that one of its rules keeps on this machine.

    Args:
        rules: The rules.
    """

    rules: tuple[Rule, ...]

    @property
    def blocking(self) -> bool:
        """Whether it may take long: a function may."""
        return any(rule.function is not None for rule in self.rules)

    def invoke(self, input: QAInput, config: RunnableConfig | None = None, **_: Any) -> None:
        """Lets a question go, or raises."""
        metadata = dict((config or {}).get("metadata") or {})
        for rule in self.rules:
            reason = rule.reason(input, metadata)
            if reason is not None:
                raise RemoteWithheldError(reason)

    async def ainvoke(self, input: QAInput, config: RunnableConfig | None = None, **_: Any) -> None:
        """Lets a question go, or raises; a function runs in a thread."""
        if self.blocking:
            await run_in_executor(config, self.invoke, input, config)
        else:
            self.invoke(input, config)


def as_rules(value: object) -> object:
    """Returns what a user gives for rules: a rule, a dict of its field, a pattern, a function, or a list of them."""
    if value is None or isinstance(value, NeverEscalate):
        return value
    rules = rules_of(value)
    return NeverEscalate(rules=rules) if rules else None


def rules_of(value: object) -> tuple[Rule, ...]:
    """Returns the rules that a user gives, none for ``None``: see `as_rules`."""
    if value is None or isinstance(value, NeverEscalate):
        return () if value is None else value.rules
    given = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    return tuple(map(_rule, given))


def _rule(value: object) -> Rule:
    if isinstance(value, Rule):
        return value
    if isinstance(value, dict):
        return Rule(**value)
    if isinstance(value, (str, re.Pattern)):
        return Rule(pattern=value)
    if callable(value):
        return Rule(function=value)
    message = f"never_escalate={shorten(value)} is no rule: pass a pattern, {{'metadata': {{…}}}} or a function"
    raise ConfigurationError(message)


#: A part's rules.
Rules = Annotated[NeverEscalate | None, BeforeValidator(as_rules)]
