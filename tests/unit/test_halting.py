"""An interrupt ends a batch, also where the errors of single inputs are returned."""

from __future__ import annotations

import asyncio

import pytest

from twosup_chain import Supervisor, TwoSupervisorChain
from twosup_chain import _batch as stages

CHAIN = TwoSupervisorChain(local=lambda _: "Ada", local_supervisor=Supervisor(lambda *_: 1.0, threshold=0.5))
INPUTS = [{"question": "Who?", "context": "Ada."}, {"question": "When?", "context": "Ada."}]


def test_ctrl_c_in_a_batch_is_raised_and_no_result(monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(stages, "run_batch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        CHAIN.batch(INPUTS, return_exceptions=True)
    monkeypatch.setattr(type(CHAIN.local_supervisor), "process", interrupted)
    with pytest.raises(KeyboardInterrupt):
        CHAIN.local_supervisor.batch([{}], return_exceptions=True)


async def test_a_cancelled_batch_is_cancelled(monkeypatch):
    async def hangs(*_):
        await asyncio.Event().wait()

    monkeypatch.setattr(stages, "arun_batch", hangs)
    task = asyncio.create_task(CHAIN.abatch(INPUTS, return_exceptions=True))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
