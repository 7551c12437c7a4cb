"""A hosted model that never ends its reply: every call style does, by its deadline, and so does the command line."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time

import pytest
from langchain_core.language_models import FakeListChatModel
from on_time import TOLERANCE, ends_after

from twosup_chain import Answer, Supervisor, TwoSupervisorChain, TwoSupervisorChatModel, collect
from twosup_chain.text.questions import LabelledQuestion

pytest.importorskip("langchain_openai")
pytestmark = [pytest.mark.alone, pytest.mark.integration, pytest.mark.filterwarnings("ignore")]

DEADLINE = 2.0
ASKED = {"question": "Who designed it?", "context": "It was designed by Ellen Marsh."}
NEVER = Supervisor(lambda question, answer: 0.0, threshold=0.5)
PARTS = {
    "local_supervisor": NEVER,
    "remote_supervisor": Supervisor(lambda question, answer: 1.0, threshold=0.5),
    "on_remote_error": "no_answer",
    "deadline": DEADLINE,
}


async def _list(stream):
    return [piece async for piece in stream]


STYLES = {
    "invoke": lambda built, asked: [built.invoke(asked[0])],
    "batch": lambda built, asked: built.batch(asked),
    "stream": lambda built, asked: list(built.stream(asked[0])),
    "ainvoke": lambda built, asked: [asyncio.run(built.ainvoke(asked[0]))],
    "abatch": lambda built, asked: asyncio.run(built.abatch(asked)),
    "astream": lambda built, asked: asyncio.run(_list(built.astream(asked[0]))),
}


@pytest.fixture(params=["hang", "trickle"])
def remote(fault_server, request):
    return fault_server.chat(request.param, timeout=60, max_retries=0)


@pytest.mark.parametrize("style", STYLES)
def test_a_chain_ends(remote, style):
    chain = TwoSupervisorChain(local=lambda _: Answer("Marsh"), remote=remote, **PARTS)
    asked = [{**ASKED, "question": f"Who designed it, number {i}?"} for i in range(3)]
    for _ in ends_after(DEADLINE):
        results = STYLES[style](chain, asked)
    assert {(result.status, result.error.split(":")[0]) for result in results} == {("untrusted", "DeadlineError")}


@pytest.mark.parametrize("style", STYLES)
def test_a_chat_model_ends(remote, style):
    local = FakeListChatModel(responses=["Marsh"])
    chat = TwoSupervisorChatModel(local=local, remote=remote, **PARTS)
    for _ in ends_after(DEADLINE):
        replies = STYLES[style](chat, ["Who designed it?"] * 3)
    decided = [reply.response_metadata["twosup"] for reply in replies if "twosup" in reply.response_metadata]
    assert {(one["status"], one["error"].split(":")[0]) for one in decided} == {("untrusted", "DeadlineError")}


def test_collect_ends(remote, tmp_path):
    asked = [LabelledQuestion(id=str(i), **ASKED, answers=("Ellen Marsh",)) for i in range(4)]
    options = {"out": tmp_path / "records.jsonl", "scorers": ["in_context"], "deadline": DEADLINE}
    for _ in ends_after(DEADLINE):
        done = collect(asked, local=lambda _: Answer("Marsh", model="local"), remote=remote, **options)
    assert (done.recorded, done.failed) == (4, 4)


@pytest.mark.parametrize("name", ["hang", "trickle"])
def test_the_command_line_ends_and_waits_for_no_thread(fault_server, tmp_path, name):
    (tmp_path / "passage.txt").write_text(ASKED["context"])
    remote = fault_server.chat(name)
    options = ["--remote", f"openai:{remote.model_name}", "--on-remote-error", "no_answer"]
    options += ["--local-threshold", "1", "--timeout", str(DEADLINE), "--json"]
    command = [sys.executable, "-c", "from twosup_chain.cli import main; main()"]
    place = {"OPENAI_API_KEY": "none", "OPENAI_BASE_URL": remote.openai_api_base}
    with subprocess.Popen(
        [*command, "ask", ASKED["question"], "-c", "passage.txt", *options],
        cwd=tmp_path,
        env={**os.environ, **place},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        said = json.loads(process.stdout.read())
        answered = time.monotonic()
        assert process.wait(20) == 0
        assert time.monotonic() - answered < 5
    assert (said["status"], said["error"].split(":")[0]) == ("untrusted", "DeadlineError")
    assert said["seconds"] == pytest.approx(DEADLINE, abs=TOLERANCE)


#: Ends while a call is still busy in the way that is asked for.
LEFT = """
import sys, time
from pydantic import BaseModel, TypeAdapter, field_validator
from twosup_chain import Supervisor, TwoSupervisorChain

class Number(BaseModel):
    n: int

    @field_validator("n")
    @classmethod
    def check(cls, n):
        return sum(range(n))

def rust():
    TypeAdapter(list[Number]).validate_python([{"n": 999}] * 999)

def stubborn():
    try:
        sorted(range(9999), key=lambda n: -n)
    except Exception:
        pass

def busy(asked):
    until = time.monotonic() + 20.0
    while time.monotonic() < until:
        {"rust": rust, "stubborn": stubborn, "asleep": lambda: time.sleep(0.01)}[sys.argv[1]]()

never = Supervisor(lambda question, answer: 0.0, threshold=0.5)
chain = TwoSupervisorChain(local=busy, local_supervisor=never, deadline=0.3, on_local_error="escalate",
    remote=lambda _: None, remote_supervisor=never)
print(chain.invoke("Who?").status, flush=True)
"""


@pytest.mark.parametrize("kind", ["rust", "stubborn", "asleep"])
def test_a_process_ends_well_that_leaves_a_busy_call_behind(tmp_path, kind):
    (tmp_path / "left.py").write_text(LEFT)
    command = [sys.executable, "left.py", kind]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=15, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "untrusted\n", "")
