"""`Metrics`: what Prometheus reads: decisions, scores, tokens, cost, seconds by stage, breakers, promises."""

import os
from collections.abc import Iterable
from typing import Any

from twosup_chain.errors import MissingExtraError
from twosup_chain.service.day import Day
from twosup_chain.service.decision import Decision
from twosup_chain.service.desk import Desk
from twosup_chain.service.watch import interval

try:
    from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
    from prometheus_client.multiprocess import MultiProcessCollector
except ImportError:
    raise MissingExtraError("twosup serve", "prometheus-client", "serve") from None


#: The variable by which worker processes share what they count.
SHARED = "PROMETHEUS_MULTIPROC_DIR"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_SCORES = tuple(step / 20 for step in range(1, 21))
_STATES = ("closed", "half_open", "open")
_TOKENS = ("input_tokens", "output_tokens")


class Metrics:
    """Counts decisions; one for each process."""

    def __init__(self) -> None:
        self._registry = own = CollectorRegistry()
        self._decisions = Counter(
            "twosup_decisions", "Decisions.", ("route", "source", "status", "reason"), registry=own
        )
        self._seconds = Histogram(
            "twosup_seconds", "Wall time of requests and stages.", ("route", "stage"), buckets=_SECONDS, registry=own
        )
        self._scores = Histogram("twosup_score", "Trust scores.", ("route", "role"), buckets=_SCORES, registry=own)
        self._tokens = Counter("twosup_tokens", "Tokens.", ("route", "role", "kind"), registry=own)
        self._cost = Counter("twosup_cost", "What hosted models cost.", ("route", "currency"), registry=own)
        self._always = Counter(
            "twosup_always_remote_cost", "What always asking them would have cost.", ("route", "currency"), registry=own
        )
        self._refused = Counter("twosup_refused", "Requests that ended with an error.", ("path", "code"), registry=own)
        mode: Any = {"multiprocess_mode": "livemax", "registry": own}
        self._breaker = Gauge("twosup_breaker", "0 closed, 1 half open, 2 open.", ("route",), **mode)
        self._waiting = Gauge("twosup_waiting", "Requests that wait for the local model.", ("route",), **mode)
        self._promise = Gauge(
            "twosup_promise", "Promises of calibrations, as the log tells.", ("route", "target", "figure"), **mode
        )
        self._drift = Gauge("twosup_trust_drift", "How far trust has drifted.", ("route", "role", "figure"), **mode)

    def observe(self, decision: Decision) -> None:
        """Counts a decision."""
        route = decision.route
        self._decisions.labels(route, decision.source, decision.status, reason_of(decision)).inc()
        for stage, seconds in {"request": decision.seconds, **decision.stages}.items():
            self._seconds.labels(route, stage).observe(seconds)
        for role, verdict in decision.verdicts.items():
            self._scores.labels(route, role).observe(verdict.score)
        for role, usage in decision.usage.items():
            for kind in _TOKENS:
                self._tokens.labels(route, role, kind).inc(dict(usage or {}).get(kind, 0))  # type: ignore[arg-type]
        if decision.currency is not None:
            self._cost.labels(route, decision.currency).inc(decision.cost or 0.0)
            self._always.labels(route, decision.currency).inc(decision.always_remote or 0.0)

    def refuse(self, path: str, code: int) -> None:
        """Counts a request that ended with an error."""
        self._refused.labels(path, str(code)).inc()

    def text(self, desks: Iterable[Desk], days: Iterable[Day]) -> bytes:
        """Returns what Prometheus reads, of all processes that share."""
        for desk in desks:
            self._waiting.labels(desk.route.name).set(desk.admission.waiting)
            if desk.route.breaker is not None:
                self._breaker.labels(desk.route.name).set(_STATES.index(desk.route.breaker.state))
        for day in days:
            self._watched(day)
        if SHARED not in os.environ:
            return generate_latest(self._registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)

    def _watched(self, day: Day) -> None:
        if day.promises is None:
            return
        for promise in day.promises.promises:
            low, high = interval(promise)
            told = {"limit": promise.limit, "observed": promise.value, "low": low, "high": high}
            told |= {"questions": promise.questions, "evidence": promise.evidence, "broken": float(promise.broken)}
            for figure, value in told.items():
                if value is not None:
                    self._promise.labels(day.route, promise.target, figure).set(value)
        for drift in day.promises.drifts:
            for figure in ("questions", "distance", "at_least"):
                self._drift.labels(day.route, drift.role, figure).set(getattr(drift, figure))


def reason_of(decision: Decision) -> str:
    """Returns why a decision is what it is, in a word or two, as a label."""
    role = decision.source
    if decision.status == "failed":
        return "failed"
    if role in ("local", "remote"):
        verdict = decision.verdicts.get(role)
        return f"{role} trusted" if verdict is None or verdict.trusted else f"{role} as it stands"
    if role == "fallback":
        return "fallback"
    if "kept on this machine" in decision.reason:
        return "kept local"
    if decision.error is not None:
        return "remote withheld" if decision.error.startswith("RemoteWithheldError") else "remote failed"
    return "remote untrusted" if "remote" in decision.verdicts else "local untrusted"
