"""Who answers: the route that options and a profile describe, and how it is asked, for ``ask`` and ``chat``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from twosup_chain import parts
from twosup_chain._deadline import DEADLINE
from twosup_chain._options import told
from twosup_chain._secrets import scrub
from twosup_chain.cli.console import stderr
from twosup_chain.cli.options import Models, Trust
from twosup_chain.cli.profile import ROLES, Found, Profile
from twosup_chain.errors import ConfigurationError, DeadlineError, TwosupError

if TYPE_CHECKING:
    from twosup_chain.schema import QAInput, TwoSupervisorResult
    from twosup_chain.service.route import Route
    from twosup_chain.supervisor import Supervisor


#: So many characters of context may be why an answer is late.
_LONG = 100_000


class RemoteFailedError(TwosupError):
    """The remote model failed, and nothing was to be used in its stead."""


class OnRemoteError(StrEnum):
    """What becomes of a question where the remote model fails."""

    RAISE = "raise"
    LOCAL = "local"
    NO_ANSWER = "no_answer"


@dataclass(frozen=True, kw_only=True)
class Answering(Models):
    """The models, and what happens where the remote one fails.

    Args:
        remote: The hosted LLM that is asked where the local answer is not trusted, as provider:model, like
            ``openai:gpt-4.1-mini``, or an answerer of your own, as ``module:name`` or ``file.py:name``. Without one, an
            answer that is not trusted is no answer.
        on_remote_error: Where the remote model fails: ``raise`` the error, which is the default, use the ``local``
            answer as it stands, or end with ``no_answer``.
        timeout: How many seconds the question may take, by default 60; 0 for as long as it likes.
    """

    on_remote_error: Annotated[OnRemoteError | None, typer.Option(metavar="POLICY")] = None
    timeout: Annotated[float | None, typer.Option(metavar="SECONDS", min=0.0)] = None


@dataclass(frozen=True, kw_only=True)
class Judging(Trust):
    """The two supervisors.

    Args:
        calibration: The file of ``twosup calibrate`` that sets both supervisors. A learned scorer, or one of your own,
            that it was made with is given as `local_scorer` or `remote_scorer`.
    """

    calibration: Path | None = None


def route_of(models: Answering, trust: Judging, profile: Profile) -> tuple[Route, str]:
    """Returns what answers, made as a server makes it, and a remark on what the user did not choose."""
    from twosup_chain.service.build import route, routes
    from twosup_chain.service.config import RouteTable, checked

    found = profile.read()
    fields = _fields(found, models, trust)
    if (local := fields.get("local", parts.READER)).startswith(parts.CLASSIFIER):
        raise ConfigurationError(
            f"--local {local}: a classifier takes decisions, a text and its possible labels, not questions: give it to "
            "twosup collect, with texts and labels, or to TwoSupervisorDecisionModel"
        )
    fields, remark = trusting(fields)
    table = checked(RouteTable, fields, str(found) or "options")
    if found.path is not None:
        what = "models" if trust.calibration else "models and thresholds"
        remark = remark or f"{what} are those of {found}, where no option says others"
    if found.config is None:
        return route(found.name, table), remark
    config = found.config.model_copy(update={"routes": {found.name: table}, "traces": None})
    return routes(config)[found.name], remark


def _fields(found: Found, models: Answering, trust: Judging) -> dict[str, Any]:
    """Returns a route's fields: those that the options say, and of the profile's what they leave open."""
    fields, given = found.under(models, trust)
    if "remote" not in fields and any(name.startswith("remote_") for name in given):
        raise ConfigurationError(
            "--remote is missing: --remote-url, --remote-scorer and --remote-threshold say how it is asked"
        )
    if trust.calibration is not None:
        chosen = [f"--{role}-threshold" for role in ROLES if f"{role}_threshold" in given]
        if chosen:
            raise ConfigurationError(f"--calibration sets both thresholds: leave {' and '.join(chosen)} out")
    timeout = fields.pop("timeout", fields.get("deadline", DEADLINE))
    return {"on_remote_error": _on_remote_error(fields), **fields, "deadline": timeout or None}


def _on_remote_error(fields: dict[str, Any]) -> str:
    """Returns what happens where nobody says it: the error is seen, unless a calibration was made for another end."""
    if "calibration" not in fields:
        return OnRemoteError.RAISE.value
    from twosup_chain.calibration.record import Calibration

    made_for = Calibration.load(Path(fields["calibration"]).expanduser()).on_remote_error
    return OnRemoteError.LOCAL.value if made_for == "local" else OnRemoteError.RAISE.value


def trusting(fields: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Returns a route's fields with scorers and thresholds, and in words which of them the user did not choose."""
    if "calibration" in fields:
        return fields, ""
    from twosup_chain.demo.run import THRESHOLDS, DemoThresholds

    fitted = None
    unchosen: dict[str, Supervisor] = {}
    roles = ROLES if fields.get("remote") else ("local",)
    if fields.get("local", parts.READER) == parts.READER:
        fitted = DemoThresholds.load(THRESHOLDS)
    elif fields["local"].startswith(f"{parts.READER}:"):  # a reader has no tokens' probabilities
        fields = {"local_scorer": "answerability", **fields}
    for role in roles:
        scorer, threshold = fields.get(f"{role}_scorer"), fields.get(f"{role}_threshold")
        judge = parts.supervisor(role, scorer, threshold, getattr(fitted, role, None))
        if threshold is None:
            unchosen[role] = judge
        fields |= {f"{role}_scorer": scorer or judge.scorer_name, f"{role}_threshold": judge.threshold}
    return fields, _remark(unchosen, fitted.fixed_on if fitted else "")


def _remark(unchosen: dict[str, Supervisor], fixed_on: str) -> str:
    """Returns, in words, which thresholds the user did not choose, and where they come from."""
    if not unchosen:
        return ""
    values = [f"{role} threshold {s.threshold:.3g} ({s.scorer_name})" for role, s in unchosen.items()]
    return f"{' and '.join(values)}: fitted on {fixed_on.rstrip('.')}. Calibrate on questions of your own."


def answered(route: Route, asked: QAInput) -> TwoSupervisorResult:
    """Returns the result, which is logged where the profile says so; meanwhile the terminal shows a sign of life."""
    from twosup_chain.service.callback import DecisionCallback

    callbacks: list[Any] = []
    if route.log is not None:
        callbacks.append(DecisionCallback(route.log, text=route.keeps_text, route=route.name, price=route.price))
    try:
        with stderr().status("Reading …"):
            result = route.chain.invoke(asked, {"callbacks": callbacks})
    except Exception as error:
        if isinstance(error, DeadlineError) and (length := sum(map(len, asked.passages))) >= _LONG:
            error.args = (f"{error}; the context is long ({length:,} characters): pass the part that matters",)
        if not hasattr(error, "__notes__"):  # which the chain adds where it was the remote
            raise
        raise RemoteFailedError(
            f"the remote model failed: {told(error)} "
            "(--on-remote-error local or no_answer would end this question without an error)"
        ) from error
    if result.error is None:
        return result
    return result.model_copy(update={"error": scrub(result.error), "reason": scrub(result.reason)})
