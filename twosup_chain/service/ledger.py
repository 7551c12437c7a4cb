"""`Ledger`: one desk before the hosted model for many workers: a question is paid for once, whoever asks it."""

import asyncio
import hashlib
import json
from typing import Any

from langchain_core.runnables.config import ensure_config

from twosup_chain import _drive
from twosup_chain._case import Case
from twosup_chain._deadline import Clock
from twosup_chain._stage import Stage
from twosup_chain._step import Flow
from twosup_chain.chain import TwoSupervisorChain
from twosup_chain.errors import ConfigurationError, MissingExtraError
from twosup_chain.schema import Answer, QAInput
from twosup_chain.service.store import Store

_FIND = "SELECT body FROM replies WHERE id = ?"
_KEEP = "INSERT INTO replies VALUES (?, ?) ON CONFLICT (id) DO NOTHING"


def question_digest(question: QAInput) -> str:
    """Returns 32 hexadecimal digits that stand for a question and its passages (SHA-256)."""
    asked = json.dumps([question.question, *question.passages])
    return hashlib.sha256(asked.encode(errors="surrogatepass")).hexdigest()[:32]


class Ledger:
    """Asks the hosted model of a chain, through the chain's own gate, and keeps in a store what it said.

    What is in the store is not asked again, after a restart either. What is under way is waited for. A call that failed
    has failed for whoever asks until the ledger is made anew. A process that is killed loses the calls under way.

    Args:
        chain: Whose hosted model is asked; its ``gate`` holds caps, breaker and retries.
        store: Where the replies are kept, and the tables are made.
        concurrency: How many calls may run at once.
        rate: How many calls may start in a second; ``None``: as many as come.

    Raises:
        ConfigurationError: The chain has no hosted model, or an option is out of range.
        MissingExtraError: There is a rate, and aiolimiter is not installed.
    """

    def __init__(
        self, chain: TwoSupervisorChain, store: Store, *, concurrency: int = 32, rate: float | None = None
    ) -> None:
        if chain.remote is None:
            raise ConfigurationError("the chain has no hosted model: a ledger is for chains with remote=…")
        if concurrency < 1 or (rate is not None and not rate > 0.0):
            raise ConfigurationError(f"concurrency={concurrency}, rate={rate}: both have to be above 0")
        self.calls = 0  # that were made in this process, those made again included
        self._chain, self._remote = chain, chain.remote
        self._store = store
        self._slots = asyncio.Semaphore(concurrency)
        self._limiter = None if rate is None else _limiter(rate)
        self._under_way: dict[str, asyncio.Task[Answer | Exception]] = {}

    async def ask(self, question: QAInput) -> Answer | Exception:
        """Returns what the hosted model says of a question, or has said of it before, or how the call failed."""
        key = question_digest(question)
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = asyncio.create_task(self._settle(key, question))
        said = await asyncio.shield(task)  # whoever leaves, the call goes on
        if isinstance(said, Answer):
            self._under_way.pop(key, None)  # the store has it
        return said

    async def _settle(self, key: str, question: QAInput) -> Answer | Exception:
        kept = await self._do(lambda connection: connection.run(_FIND, key))
        if kept:
            return Answer(**json.loads(kept[0][0]))
        try:
            async with self._slots:
                if self._limiter is not None:
                    await self._limiter.acquire()
                said = await _drive.arun(self._flow(question), ensure_config())
        except Exception as error:  # noqa: BLE001 (whatever it is, the chain that asks has a policy for it)
            return error
        await self._do(lambda connection: connection.run(_KEEP, key, json.dumps(said.model_dump(mode="python"))))
        return said

    def _flow(self, question: QAInput) -> Flow[Answer]:
        case = Case(question)
        case.clock = Clock(self._chain.deadline, Stage.REMOTE)

        def call(clock: Clock | None = None) -> Flow[Answer]:
            self.calls += 1
            return Stage.REMOTE.ask(case, self._remote, clock)

        gate = self._chain.gate
        return call() if gate is None else gate.through(question, call, case.clock)

    async def _do(self, job: Any) -> Any:
        return await asyncio.wrap_future(self._store.write(job))


def _limiter(rate: float) -> Any:
    try:
        from aiolimiter import AsyncLimiter
    except ImportError:
        raise MissingExtraError("a rate of calls", "aiolimiter", "ray") from None
    return AsyncLimiter(1, 1.0 / rate)
