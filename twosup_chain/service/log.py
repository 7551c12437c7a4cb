"""`DecisionLog`: one row a decision, written off the hot path and acknowledged once it is on the disk."""

import asyncio
import re
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from math import isfinite
from pathlib import Path
from time import time

import orjson

from twosup_chain._options import shorten
from twosup_chain._plain import scalar_text
from twosup_chain._secrets import scrub
from twosup_chain.errors import ConfigurationError, InputError, RemoteWithheldError, UnknownOptionError
from twosup_chain.service.decision import Decision
from twosup_chain.service.feedback import Feedback
from twosup_chain.service.store import Connection, Store

_DAY = 86_400.0
_OURS = RemoteWithheldError.__name__
#: How a failure stands in a reason: its class, and its message, which may quote what was asked or said.
_FAILURE = re.compile(rf"""\((['"])(?!{_OURS})(\w+): .*?(?:(?<!\\)\1|…)\)""", re.DOTALL)


class UnknownDecisionError(InputError):
    """No decision of this id is in the log."""


class DecisionLog:
    """Keeps decisions and what was said of them later; it is a `Sink` of a service, and works without one too.

    A row holds no text unless its decision does (a route's ``keeps_text``); without, failures are named by their class
    alone, since a message may quote.

    Args:
        store: Where they are kept: a `Store`, the path of a SQLite file, or a ``postgresql://`` URL.
        keep_days: How long they are kept, in days; older ones, and what was said of them, are deleted once a day while
            the log is written to. ``None``: for ever.
        redact: Is given each text that is to be kept, and returns what may be kept of it. Where it fails, no text is.
    """

    def __init__(
        self, store: Store | str | Path, *, keep_days: float | None = None, redact: Callable[[str], str] | None = None
    ) -> None:
        if keep_days is not None and not keep_days > 0.0:
            raise ConfigurationError(f"keep_days={keep_days!r}: give a number of days above 0, or None for ever")
        self.store = store if isinstance(store, Store) else Store(store)
        self._keep_days = keep_days
        self._redact = redact
        self._pruned = 0.0

    # -- writing --------------------------------------------------------------------------------------------------

    def put(self, decision: Decision) -> Future[None]:
        """Has a decision written, in the place of one with the same id; the future is done once it is on the disk."""
        kept = self._cleaned(decision)
        row = (kept.id, kept.time, kept.route, kept.model_dump_json(exclude_defaults=True))
        if self._keep_days is not None and time() - self._pruned > _DAY:
            self._pruned = time()
            self.prune(self._keep_days)
        return self.store.write(lambda connection: _insert(connection, *row))

    async def record(self, decision: Decision) -> None:
        """Keeps a decision; it is on the disk once this has returned."""
        await asyncio.wrap_future(self.put(decision))

    async def aclose(self) -> None:
        """Writes what waits, and closes the store."""
        await asyncio.to_thread(self.store.close)

    def prune(self, days: float) -> Future[None]:
        """Has decisions deleted that are older than so many days, and what was said of them."""
        before = time() - days * _DAY

        def job(connection: Connection) -> None:
            old = "SELECT id FROM decisions WHERE time < ?"
            connection.run(f"DELETE FROM feedback WHERE decision IN ({old})", before)  # noqa: S608 (no value in it)
            connection.run("DELETE FROM decisions WHERE time < ?", before)

        return self.store.write(job)

    def give(self, feedback: Feedback) -> Future[Feedback]:
        """Has something written that was said of a decision; the future holds it once it is on the disk.

        The future's error is an `UnknownDecisionError` where there is no such decision.
        """

        def job(connection: Connection) -> Feedback:
            if not connection.run("SELECT 1 FROM decisions WHERE id = ?", feedback.decision):
                raise _unknown(feedback.decision)
            row = (feedback.id, feedback.time, feedback.decision, feedback.model_dump_json())
            connection.run("INSERT INTO feedback VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING", *row)
            return feedback

        return self.store.write(job)

    def revoke(self, id: str) -> Future[int]:
        """Has feedback deleted, by its own id or by its decision's; the future holds how many there were."""

        def job(connection: Connection) -> int:
            found = connection.run("SELECT id FROM feedback WHERE id = ? OR decision = ?", id, id)
            connection.run("DELETE FROM feedback WHERE id = ? OR decision = ?", id, id)
            return len(found)

        return self.store.write(job)

    async def receive(self, fields: object, *, caller: str | None = None, of_any: bool = False) -> Feedback | int:
        """Takes the body of ``POST /v1/feedback``: ``{"id": …, "right": true, "answer": …}`` or ``{"revoke": …}``.

        Args:
            fields: The body, as JSON has it. ``{"revoke": …}`` names feedback, or the decision that it is about.
            caller: Who says so; feedback on what somebody else was told is none.
            of_any: Whether it is taken all the same, as an admin's.

        Returns:
            What was written, or how many were revoked.

        Raises:
            UnknownDecisionError: There is no such decision, or it is another caller's (HTTP 404).
            InputError: The body says nothing that is feedback (400).
        """
        if not isinstance(fields, dict):
            raise InputError(f'feedback={shorten(fields)} is no object: write {{"id": …, "right": true}}')
        if set(fields) == {"revoke"} and isinstance(fields["revoke"], str):
            id = await asyncio.to_thread(self._decision_of, fields["revoke"])  # noqa: A001
            await asyncio.to_thread(self._check_whose, id, caller, of_any=of_any)
            return await asyncio.wrap_future(self.revoke(fields["revoke"]))
        given = {"decision" if name == "id" else name: value for name, value in fields.items()}
        if unknown := given.keys() - {"decision", "right", "answer"}:
            known = ("id", "right", "answer", "revoke")
            raise InputError(str(UnknownOptionError("field of feedback", str(min(unknown, key=str)), known)))
        feedback = Feedback(**given, by=caller)
        await asyncio.to_thread(self._check_whose, feedback.decision, caller, of_any=of_any)
        return await asyncio.wrap_future(self.give(feedback))

    # -- reading --------------------------------------------------------------------------------------------------

    def get(self, id: str) -> Decision:
        """Returns a decision by its id, or by the beginning of one that no other has.

        Raises:
            UnknownDecisionError: There is none, or several begin so.
        """
        exact = self.store.read("SELECT body FROM decisions WHERE id = ?", id)
        start = "SELECT body FROM decisions WHERE id > ? AND id < ? LIMIT 2"
        found = exact or self.store.read(start, id, f"{id}\uffff")
        if len(found) != 1:
            raise _unknown(id, several=bool(found))
        return Decision(**orjson.loads(found[0][0]))

    def decisions(
        self, *, route: str | None = None, since: float | None = None, last: int | None = None
    ) -> Iterator[Decision]:
        """Gives decisions, the earliest first.

        Args:
            route: Of this route alone.
            since: From then on, in seconds since 1970.
            last: So many of the latest alone.
        """
        which, values = "time >= ?", [since or 0.0]
        if route is not None:
            which, values = f"{which} AND route = ?", [*values, route]  # type: ignore[list-item]
        rows = f"SELECT time, body FROM decisions WHERE {which} ORDER BY time"  # noqa: S608 (no value in it)
        if last is not None:
            rows = f"SELECT * FROM ({rows} DESC LIMIT {int(last)}) AS latest ORDER BY time"  # noqa: S608
        for _, body in self.store.stream(rows, *values):
            yield Decision(**orjson.loads(body))

    def feedback(self, decision: str | None = None) -> dict[str, Feedback]:
        """Returns what was said last of each decision, by its id; of one alone, where its id is given."""
        return {feedback.decision: feedback for feedback in self.said(decision)}

    def said(self, decision: str | None = None) -> Iterator[Feedback]:
        """Gives all that was said, the earliest first; of one decision alone, where its id is given."""
        which = "" if decision is None else "WHERE decision = ?"
        values = () if decision is None else (decision,)
        for (body,) in self.store.stream(f"SELECT body FROM feedback {which} ORDER BY time", *values):  # noqa: S608
            yield Feedback(**orjson.loads(body))

    def _check_whose(self, id: str, caller: str | None, *, of_any: bool) -> None:
        if self.get(id).caller not in (None, caller) and not of_any:
            raise _unknown(id)

    def _decision_of(self, id: str) -> str:
        """Returns the decision that feedback is about, or the id itself."""
        found = self.store.read("SELECT decision FROM feedback WHERE id = ?", id)
        return str(found[0][0]) if found else id

    # -- what is kept ---------------------------------------------------------------------------------------------

    def _cleaned(self, decision: Decision) -> Decision:
        numbers = {role: _finite(found) for role, found in decision.scores.items()}
        decision = decision.model_copy(update={"scores": numbers})
        told = {"reason": _clean(decision.reason), "error": decision.error and _clean(decision.error)}
        if decision.text is None:
            if decision.error is not None and not decision.error.startswith(_OURS):
                told["error"] = decision.error.partition(":")[0]
            failed = decision.status == "failed" and told["error"] is not None
            told["reason"] = told["error"] if failed else _FAILURE.sub(r"(\2)", told["reason"] or "")
            return decision.model_copy(update=told)
        if self._redact is None:
            return decision.model_copy(update=told)
        try:
            return decision.model_copy(update=_redacted(decision, told, self._redact))
        except Exception as error:  # noqa: BLE001 (the user's own; what it could not clean is not kept)
            noted = f"{decision.reason}; its text is not kept (redact: {type(error).__name__})"
            return self._cleaned(decision.model_copy(update={"text": None, "reason": noted}))


def _clean(told: str) -> str:
    return scalar_text(scrub(told))


def _finite(numbers: dict[str, float]) -> dict[str, float]:
    return {name: number for name, number in numbers.items() if isfinite(number)}


def _redacted(decision: Decision, told: dict[str, str | None], redact: Callable[[str], str]) -> dict[str, object]:
    text = decision.text
    if text is None:
        return dict(told)
    answers = {role: said and redact(said) for role, said in text.answers.items()}
    cleaned = {"question": redact(text.question), "context": tuple(map(redact, text.context)), "answers": answers}
    return {**{name: said and redact(said) for name, said in told.items()}, "text": text.model_copy(update=cleaned)}


def _insert(connection: Connection, *row: object) -> None:
    whole = "INSERT INTO decisions VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body"
    connection.run(whole, *row)


def _unknown(id: str, *, several: bool = False) -> UnknownDecisionError:
    what = "several decisions begin with" if several else "no decision in the log has the id"
    return UnknownDecisionError(f"{what} {shorten(id)}: 'twosup log tail' shows them")
