"""``twosup.toml``: the server and its routes, checked before anything is loaded.

What a route is made of is put together in `build`. No key stands in the file: it names variables of the environment.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from twosup_chain._deadline import DEADLINE
from twosup_chain._options import shorten
from twosup_chain._secrets import scrub
from twosup_chain.chain import NO_ANSWER_TEXT
from twosup_chain.errors import ConfigurationError, TwosupError, UnknownOptionError
from twosup_chain.outcomes.price import Price
from twosup_chain.parts import KEY, READER, is_own_scorer
from twosup_chain.service.budget import Caps
from twosup_chain.service.money import PROMPT_TOKENS

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_SECRET_FIELD = re.compile(r"(^|_)(api_?key|token|secret|password)$", re.IGNORECASE)


def _variable(name: str) -> str:
    if re.fullmatch(r"[A-Za-z_]\w*", name):
        return name
    raise ConfigurationError("write the name of the variable of the environment that holds the key, not the key")


#: The name of a variable of the environment.
Variable = Annotated[str, AfterValidator(_variable)]
_Share = Annotated[float | None, Field(ge=0.0, le=1.0)]


class Table(BaseModel):
    """A table of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)


TableT = TypeVar("TableT", bound=Table)


class ServerTable(Table):
    """``[server]``.

    Args:
        host: The address to listen on.
        port: The port.
        workers: How many processes serve; each loads its own models.
        max_body: The longest body of a request, in bytes.
        grace: How long requests under way may take once the server is told to end, in seconds.
        cors: The origins whose pages may ask; none by default.
        callers: Who may ask: for each name the variable of the environment that holds its key. Empty: whoever can reach
            the server.
        admin_keys: Who may see the status page and the metrics, and say of any decision whether it was right, likewise.
            Empty: whoever can reach the server, where that is this machine and `callers` is empty, else nobody.
        anyone: Must be true to listen on an address that others reach, without `callers`.
    """

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    workers: int = Field(default=1, ge=1)
    max_body: int = Field(default=2_000_000, ge=1024)
    grace: int = Field(default=30, ge=0)
    cors: tuple[str, ...] = ()
    callers: dict[str, Variable] = Field(default_factory=dict)
    admin_keys: dict[str, Variable] = Field(default_factory=dict)
    anyone: bool = False

    @property
    def shows_all(self) -> bool:
        """Whether operators need no key: nobody does, and only this machine reaches the server."""
        return self.host in _LOOPBACK and not self.callers and not self.admin_keys

    @model_validator(mode="after")
    def _check_open(self) -> ServerTable:
        if self.host in _LOOPBACK or self.callers or self.anyone:
            return self
        raise ConfigurationError(
            f"host = {self.host!r} lets others ask, and no [server.callers] have keys: name them, or say anyone = true"
        )


class LogTable(Table):
    """``[log]``: where decisions are kept.

    Args:
        where: The path of a SQLite file, or a ``postgresql://`` URL; its password is in the environment (PGPASSWORD).
        keep_days: How long; ``None``: for ever.
        redact: A function of your own that is given each text and returns what may be kept of it, as ``module:name``.
    """

    where: str = Field(min_length=1)
    keep_days: float | None = Field(default=None, gt=0.0)
    redact: str | None = None


class TracesTable(Table):
    """``[traces]``: where spans of OpenTelemetry go, by OTLP over HTTP (extra ``otel``)."""

    endpoint: str = Field(pattern="^https?://")


class BreakerTable(Table):
    """``breaker`` of a route, as `Breaker` takes it."""

    failures: int = Field(default=5, ge=1)
    seconds: float = Field(default=30.0, gt=0.0)


class RouteTable(Table):
    """``[routes.NAME]``: the parts of a chain, as `twosup ask` takes them.

    Args:
        local: ``reader``, ``llama:PATH``, or an answerer of your own, as ``module:name`` or ``file.py:name``.
        local_scorer: How trust in the local answer is scored; by `calibration` where that is given, beside which only a
            file of ``twosup fit-scorer``'s or a function of your own stands here, with which that was made.
        local_threshold: The least score that is trusted, likewise.
        local_missing: The score of an answer that lacks what the scorer reads.
        remote: ``provider:model``, or an answerer of your own; ``None``: nobody else is asked.
        remote_url: The base of an OpenAI-compatible server that hosts it.
        remote_key: The variable of the environment that holds its key.
        remote_scorer: As for the local model.
        remote_threshold: As for the local model.
        remote_missing: As for the local model.
        chat: How ``/v1/chat/completions`` answers. ``"conversation"``, the default without a calibration: models that
            chat are handed the whole conversation, with its tools. ``"question"``: the last message alone is asked, as
            ``/v1/answer`` asks it. ``"off"``: not at all. A calibration promises something only of what was asked
            alike: with ``"conversation"`` it takes one of records of ``twosup collect --conversation``, and
            ``/v1/answer`` asks as a conversation does.
        calibration: A file of ``twosup calibrate``'s, in place of scorers and thresholds.
        records: The file that ``twosup collect`` writes, where it is told no other.
        max_tokens: The most tokens of a reply of the remote.
        price: What its tokens cost: ``{input = …, output = …, currency = "USD"}`` a million, or ``"list"``, what
            genai-prices says of `remote`.
        prompt_tokens: The most that its prompt adds to texts and tools of a request; raise it for long instructions.
        image_tokens: The most tokens that an image has for it; where caps are, a question with one needs this to be
            asked.
        caps: The most that it may cost, as in `Caps`; they take `price`, a ``[log]``, and how long a reply may be: by
            `max_tokens`, or by ``max_tokens`` or ``context`` of the price.
        shadow_rate: The share of trusted local answers whose questions the remote is asked in the shadow.
        breaker: When it is taken for dead: ``{failures = 5, seconds = 30}``.
        timeout: How long a call of the remote may take, in seconds; by default half of `deadline`.
        retries: How often a call is made again that failed in a way that may pass.
        fallback: An answerer of your own, asked where nobody is trusted.
        on_remote_error: As in `TwoSupervisorChain`; ``"raise"`` ends in status 502, or 504 after the deadline.
        on_local_error: As in `TwoSupervisorChain`.
        on_supervisor_error: As in `TwoSupervisorChain`.
        never_escalate: Rules, each a table of `never_escalate.Rule`.
        deadline: How many seconds a question may take; ``None``: as long as it likes.
        no_answer: What is said where there is no answer.
        concurrency: How many requests the local model may have at once.
        queue: How many more may wait for it; one beyond is told to come again (status 503).
        keep_text: Whether decisions carry the texts of the request.
    """

    local: str = READER
    local_scorer: str | None = None
    local_threshold: _Share = None
    local_missing: _Share = None
    remote: str | None = None
    remote_url: str | None = None
    remote_key: Variable = KEY
    remote_scorer: str | None = None
    remote_threshold: _Share = None
    remote_missing: _Share = None
    chat: Literal["question", "conversation", "off"] | None = None
    calibration: Path | None = None
    records: Path | None = None
    max_tokens: int | None = Field(default=None, ge=1)
    price: Price | Literal["list"] | None = None
    prompt_tokens: int = Field(default=PROMPT_TOKENS, ge=0)
    image_tokens: int | None = Field(default=None, ge=0)
    caps: Caps | None = None
    shadow_rate: float = Field(default=0.0, ge=0.0, le=1.0)
    breaker: BreakerTable = BreakerTable()
    timeout: float | None = Field(default=None, gt=0.0, allow_inf_nan=False)
    retries: int = Field(default=2, ge=0)
    fallback: str | None = None
    on_remote_error: Literal["raise", "local", "no_answer", "fallback"] = "no_answer"
    on_local_error: Literal["escalate", "raise"] = "escalate"
    on_supervisor_error: Literal["escalate", "raise"] = "escalate"
    never_escalate: tuple[dict[str, Any], ...] = ()
    deadline: float | None = Field(default=DEADLINE, gt=0.0, allow_inf_nan=False)
    no_answer: str = NO_ANSWER_TEXT
    concurrency: int = Field(default=16, ge=1)
    queue: int = Field(default=256, ge=0)
    keep_text: bool = False

    @model_validator(mode="after")
    def _check_time(self) -> RouteTable:
        if self.timeout is None or self.deadline is None or self.timeout < self.deadline:
            return self
        raise ConfigurationError(
            f"timeout = {self.timeout:g} of a call is no less than deadline = {self.deadline:g} of its question: lower "
            "the one, or raise the other"
        )

    @model_validator(mode="after")
    def _check_trust(self) -> RouteTable:
        for role in ("local",) if self.remote is None else ("local", "remote"):
            given = [
                f"{role}_{name}"
                for name in ("scorer", "threshold")
                if (said := getattr(self, f"{role}_{name}")) is not None and not is_own_scorer(said)
            ]
            if self.calibration is not None and given:
                raise ConfigurationError(f"{given[0]} and calibration both say whom to trust: leave one out")
            for name in ("scorer", "threshold"):
                if self.calibration is None and getattr(self, f"{role}_{name}") is None:
                    raise ConfigurationError(
                        f"{role}_{name} is missing: say how the {role} answer is scored and from which score on it is "
                        "trusted, or give a calibration"
                    )
        return self


class ServiceConfig(Table):
    """The file: ``[server]``, ``[log]``, ``[traces]``, and a ``[routes.NAME]`` for each model that clients see."""

    server: ServerTable = ServerTable()
    log: LogTable | None = None
    traces: TracesTable | None = None
    routes: dict[str, RouteTable] = Field(min_length=1)


def load(path: str | Path) -> ServiceConfig:
    """Returns what is in a file.

    Raises:
        ConfigurationError: The file is missing, no TOML, holds a key, or an option is wrong.
    """
    path = Path(path)
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"cannot read {path}: {error}") from error
    for place, value in _leaves(found):
        field = place.rpartition(".")[2]
        if _SECRET_FIELD.search(field) or (isinstance(value, str) and _holds_key(value)):
            raise ConfigurationError(
                f'{path}: {place} holds a key: keys stand in the environment; write remote_key = "NAME_OF_VARIABLE"'
            )
    return checked(ServiceConfig, found, str(path))


def checked(kind: type[TableT], fields: dict[str, Any], where: str) -> TableT:
    """Returns a table of these fields.

    Raises:
        ConfigurationError: One is wrong; the message names it, after `where` it stands.
    """
    try:
        return kind(**fields)
    except ValidationError as error:
        raise ConfigurationError(f"{where}: " + "; ".join(map(_said, error.errors()))) from None


def _holds_key(value: str) -> bool:
    value = re.sub(r"//[^/:@\s]+@", "//", value)  # a user without a password
    return scrub(value) != value


def _leaves(table: dict[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        place = f"{above}{name}"
        if isinstance(value, dict):
            yield from _leaves(value, f"{place}.")
        else:
            yield place, value


#: The tables by their place in the file, for what a misspelt name should have been.
_TABLES: dict[str, type[Table]] = {"server": ServerTable, "log": LogTable, "traces": TracesTable, "routes": RouteTable}


def _said(item: Any) -> str:
    """Returns one finding of pydantic's: field, value, cure."""
    place = ".".join(str(part) for part in item["loc"])
    cause = item.get("ctx", {}).get("error")
    if isinstance(cause, TwosupError):
        return f"{place}: {cause}" if place else str(cause)
    if item["type"] == "extra_forbidden":
        table = _TABLES.get(str(item["loc"][0]), ServiceConfig) if len(item["loc"]) > 1 else ServiceConfig
        return f"{place}: {UnknownOptionError('option', str(item['loc'][-1]), table.model_fields)}"
    if item["type"] == "missing":
        return (
            f"{place} is missing: write [{place}.NAME] for each route" if place == "routes" else f"{place} is missing"
        )
    return f"{place} = {shorten(item['input'])}: {item['msg']}"
