"""Five hundred questions at once while the hosted model fails in every way: nothing wrong, nothing stalls or stays."""

from __future__ import annotations

import asyncio
import gc
import re
import time
from itertools import cycle, islice

import pytest
from faults.catalogue import ENDLESS, FAULTS
from faults.server import FaultServer

from twosup_chain import Answer, Supervisor, TwoSupervisorChain

pytest.importorskip("langchain_openai")
pytestmark = [pytest.mark.alone, pytest.mark.integration, pytest.mark.filterwarnings("ignore")]

CALLS = 500
#: How long a loop may stall beyond what spinning threads cause, in seconds; how much memory may stay, in MB.
STALL, STAYS = 0.25, 20
#: How often the loop is looked at, in seconds.
BEAT = 0.01
MIX = [name for name in FAULTS if name != "busy_once"]


def name_of(words):
    """Returns the designer that the last passage of a prompt names."""
    return re.findall(r"designed by (\w+ \w+)\.", words)[-1]


def question(n):
    who = f"Ellen Marsh{n}"
    return {"question": "Who designed it?", "context": f"It was designed by {who}. It was lit by Tom Reed."}, who


def stands(question, answer, *, local=None):
    return float(answer.text is None or answer.text in question.context)


@pytest.fixture(scope="module")
def chains():
    """A chain for each fault, whose local model is right about every other question and unsure of the rest."""

    def local(question):
        n = int(re.search(r"Marsh(\d+)", question.context)[1])
        return Answer(f"Ellen Marsh{n}" if n % 2 else "Tom Reed", scores={"answerability": float(n % 2)})

    with FaultServer(name_of) as server:
        yield {
            name: TwoSupervisorChain(
                local=local,
                local_supervisor=Supervisor("answerability", threshold=0.5),
                remote=server.chat(name),
                remote_supervisor=Supervisor(stands, threshold=0.5),
                on_remote_error="no_answer",
                deadline=5.0 if name == "trickle" else 60.0,  # the other endless ones have the client's timeout
            )
            for name in MIX
        }


async def longest_stall(until):
    """Returns the most by which a timer of the loop came late, in seconds, until an event is set."""
    worst = 0.0
    while not until.is_set():
        before = time.monotonic()
        await asyncio.sleep(BEAT)
        worst = max(worst, time.monotonic() - before - BEAT)
    return worst


async def under(work):
    """Returns what the work gives, and the longest stall of the loop meanwhile."""
    done = asyncio.Event()
    watch = asyncio.create_task(longest_stall(done))
    result = await work
    done.set()
    return result, await watch


def resident():
    """Returns the memory that this process holds, in MB."""
    gc.collect()
    with open("/proc/self/statm") as file:  # noqa: PTH123 (no file)
        return int(file.read().split()[1]) * 4096 / 1e6


async def ask(chains, at_once=CALLS):
    """Returns the fault, the designer and the result of every question."""
    slots = asyncio.Semaphore(at_once)

    async def one(n, name):
        asked, who = question(n)
        async with slots:
            return name, n, who, await chains[name].ainvoke(asked)

    return await asyncio.gather(*(one(n, name) for n, name in enumerate(islice(cycle(MIX), CALLS))))


async def control(seconds=2.0):
    """Lets six threads spin, and as many coroutines as there are questions sleep, and nothing else."""
    until = time.monotonic() + seconds
    spinning = (asyncio.to_thread(_spin, until) for _ in range(6))
    await asyncio.gather(*spinning, *(asyncio.sleep(seconds * n / CALLS) for n in range(CALLS)))


def _spin(until):
    while time.monotonic() < until:
        pass


@pytest.mark.slow
def test_500_questions_at_once_are_answered_rightly_and_leave_nothing(chains):
    asyncio.run(ask(chains))  # what is loaded once, is
    before = resident()
    for name, n, who, result in asyncio.run(ask(chains)):
        by_remote = {"answer": (who, "remote"), "unanswerable": (None, "remote"), "error": (None, "none")}
        expected = (who, "local") if n % 2 else by_remote[FAULTS[name].right]
        assert (result.answer, result.source) == expected, name
    assert resident() - before < STAYS
    assert set(MIX) & ENDLESS


@pytest.mark.slow
@pytest.mark.parametrize("at_once", [64, CALLS])
def test_the_loop_stalls_no_longer_than_with_six_spinning_threads(chains, at_once):
    """Wall time; up to five times, since the machine may hold up the one or the other.

    What is loaded is frozen, as servers do: to go through all of it, the garbage collector takes a fifth of a second.
    """
    asyncio.run(ask(chains, at_once))
    gc.collect()
    gc.freeze()
    pairs = []
    for _ in range(5):
        alone, ours = (asyncio.run(under(work))[1] for work in (control(), ask(chains, at_once)))
        pairs.append((alone, ours))
        if ours < alone + STALL:
            break
    gc.unfreeze()
    print(f"{at_once} at once: {', '.join(f'{ours:.2f} s (control {alone:.2f} s)' for alone, ours in pairs)}")
    assert pairs[-1][1] < pairs[-1][0] + STALL, pairs
