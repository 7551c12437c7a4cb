"""The routes of a configuration: for each a chain, and the chat model of the same parts."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage, ToolMessage

from twosup_chain import parts
from twosup_chain.calibration.record import Calibration
from twosup_chain.calibration.supervisors import chain_options, check_asked
from twosup_chain.chain import TwoSupervisorChain
from twosup_chain.chat.model import TwoSupervisorChatModel
from twosup_chain.errors import TwosupError
from twosup_chain.outcomes.price import Price
from twosup_chain.scoring.scorer import Needs
from twosup_chain.service.breaker import Breaker
from twosup_chain.service.config import RouteTable, ServiceConfig
from twosup_chain.service.gate import RemoteGate
from twosup_chain.service.log import DecisionLog
from twosup_chain.service.ports import Sink
from twosup_chain.service.route import Route
from twosup_chain.service.shadow import Shadow
from twosup_chain.supervisor import Supervisor

#: The name of a system message that holds a passage.
PASSAGE = "context"


def routes(config: ServiceConfig) -> dict[str, Route]:
    """Returns the routes by name; nothing is loaded yet.

    Raises:
        TwosupError: A part cannot be made; the message names the route.
    """
    made, log, traces = {}, _log(config), _traces(config)
    for name, table in config.routes.items():
        try:
            built = route(name, table, log)
            made[name] = replace(built, sinks=(*built.sinks, *traces))
        except TwosupError as error:
            error.args = (f"routes.{name}: {error}",)
            raise
    return made


def route(name: str, table: RouteTable, log: DecisionLog | None = None) -> Route:
    """Returns a route, whose decisions go to a log."""
    policies: dict[str, Any] = {
        **{
            option: getattr(table, option)
            for option in ("on_remote_error", "on_local_error", "on_supervisor_error", "never_escalate", "deadline")
        },
        "fallback": None if table.fallback is None else parts.own_answerer(table.fallback, "fallback"),
    }
    trust, calibration = _trust(table, policies)
    local = parts.local_answerer(table.local, "local")
    options: dict[str, Any] = {**policies, **trust}
    remote, price = None, table.price
    if price == "list":
        price = Price.of_model(table.remote or "")
    if table.remote is not None:
        asked = None if calibration is None else calibration.remote.asked
        needs: Needs | None = trust["remote_supervisor"].scorer.needs
        needs = "top_logprobs" if asked and asked.get("top_logprobs") else needs
        speaks_openai = table.remote_url is not None or table.remote.startswith("openai:")
        more: dict[str, Any] = {"max_retries": 0} if speaks_openai else {}  # the gate asks again
        more |= {} if table.max_tokens is None else {"max_tokens": table.max_tokens}
        url, key = table.remote_url, table.remote_key
        remote = parts.remote_answerer(table.remote, url, needs, what="remote", key=key, **more)
        options["gate"] = RemoteGate(
            breaker=Breaker(failures=table.breaker.failures, seconds=table.breaker.seconds),
            timeout=table.timeout,
            retries=table.retries,
            caps=table.caps,
            price=price,
            store=None if log is None else log.store,
            max_tokens=table.max_tokens,
            prompt_tokens=table.prompt_tokens,
            image_tokens=table.image_tokens,
        )
    same = all(one is None or parts.chatting(one) is one for one in (local, remote))
    if calibration is not None and table.chat == "conversation":
        local, remote = parts.conversing(local), remote and parts.conversing(remote)
    chain = TwoSupervisorChain(local=local, remote=remote, **options)
    if calibration is not None:
        _check_asked(calibration, chain, table.max_tokens)
    chat = TwoSupervisorChatModel(
        local=local if table.chat == "question" else parts.chatting(local),
        remote=remote if remote is None or table.chat == "question" else parts.chatting(remote),
        context=passages,
        no_answer=table.no_answer,
        model_name=name,
        **options,
    )
    return Route(
        name=name,
        chain=chain,
        chat=chat,
        sinks=() if log is None else (log,),
        chat_as=table.chat or ("conversation" if same or calibration is None else None),
        calibration=calibration,
        price=price,
        shadow=Shadow(chain, rate=table.shadow_rate, price=price, chat=chat) if table.shadow_rate else None,
        max_tokens=table.max_tokens,
        keeps_text=table.keep_text,
        concurrency=table.concurrency,
        queue=table.queue,
    )


def _log(config: ServiceConfig) -> DecisionLog | None:
    if config.log is None:
        return None
    redact = None if config.log.redact is None else parts.own(config.log.redact, "log.redact")
    return DecisionLog(config.log.where, keep_days=config.log.keep_days, redact=redact)


def _traces(config: ServiceConfig) -> tuple[Sink, ...]:
    if config.traces is None:
        return ()
    from twosup_chain.service.traces import Traces

    return (Traces.to(config.traces.endpoint),)


def _trust(table: RouteTable, policies: Mapping[str, Any]) -> tuple[dict[str, Any], Calibration | None]:
    """Returns the supervisors, and the calibration that set them, where one did."""
    if table.calibration is not None:
        calibration = Calibration.load(table.calibration.expanduser())
        given = {role: spec for role in ("local", "remote") if (spec := getattr(table, f"{role}_scorer")) is not None}
        scorers = parts.unregistered(*(parts.recorded_scorer(spec, role) for role, spec in given.items()))
        made: dict[str, Any] = chain_options(calibration, scorers, policies)
        if table.remote is None:
            del made["remote_supervisor"], made["reconcile"]
        return made, calibration
    roles = ("local",) if table.remote is None else ("local", "remote")
    return {
        f"{role}_supervisor": Supervisor(
            parts.scorer_of(getattr(table, f"{role}_scorer"), role),
            threshold=getattr(table, f"{role}_threshold"),
            missing=getattr(table, f"{role}_missing"),
        )
        for role in roles
    }, None


def _check_asked(calibration: Calibration, chain: TwoSupervisorChain, longest: int | None) -> None:
    """Checks that the models are asked as they were; how long a reply may be is the route's own, if nobody had said."""
    remote = calibration.remote
    if remote.asked is not None and longest is not None:
        asked = {"max_tokens": longest, **remote.asked}
        calibration = calibration.model_copy(update={"remote": remote.model_copy(update={"asked": asked})})
    answerers = {"local": chain.local, "remote": chain.remote}
    check_asked(calibration, **{role: answerer for role, answerer in answerers.items() if answerer is not None})


def passages(messages: Sequence[BaseMessage]) -> list[str] | None:
    """Returns what a conversation is to be answered from; ``None`` where it holds nothing of the kind.

    These are the system messages by the name of ``context``, or else all of them, and what tools have returned since
    the user's last message.
    """
    told = [message for message in messages if isinstance(message, SystemMessage)]
    named = [message for message in told if message.name == PASSAGE]
    last = max((i for i, message in enumerate(messages) if isinstance(message, HumanMessage)), default=-1)
    tools = [message for message in messages[last + 1 :] if isinstance(message, ToolMessage)]
    return [text for message in [*(named or told), *tools] if (text := str(message.text)).strip()] or None
