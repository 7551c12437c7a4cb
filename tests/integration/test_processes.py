"""Models that were used, and then the process forks, spawns, is pickled or ends: every child answers and ends."""

from __future__ import annotations

import os
import pickle
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from langchain_core.embeddings import DeterministicFakeEmbedding

from twosup_chain import ChatAnswerer, EmbeddingSimilarity, ExtractiveReader, Supervisor, TwoSupervisorChain

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.alone, pytest.mark.integration]

QUESTION = {"question": "Who wrote it?", "context": "Ada wrote it."}

#: Uses a model, forks in the way that is asked for, and waits for what the child says and does.
SCRIPT = """
import multiprocessing, os, sys
from twosup_chain import ExtractiveReader, LlamaCppAnswerer

QUESTION = {"question": "Who wrote it?", "context": "Ada wrote it."}
LONG = {"question": "Who wrote it?", "context": ["Ada wrote it. " + "It rained all day long. " * 60] * 20}

def ask(model):
    sys.stdout.write(model.invoke(QUESTION).text + "\\n")
    sys.stdout.flush()

def main(kind, way, path):
    model = ExtractiveReader(num_threads=4)
    if kind == "gguf":
        model = LlamaCppAnswerer(model_path=path, n_threads=2, max_tokens=4)
    ask(model)
    if kind == "many":
        model.invoke(LONG)
    if way in ("fork", "spawn"):
        child = multiprocessing.get_context(way).Process(target=ask, args=(model,))
        child.start()
        child.join()
        sys.exit(child.exitcode)
    if way == "threads":
        import threading
        busy = [threading.Thread(target=ask, args=(model,)) for _ in range(6)]
        for thread in busy:
            thread.start()
    pid = os.fork()
    if pid == 0:
        if way != "idle":
            ask(model)
        sys.exit()
    _, status = os.waitpid(pid, 0)
    sys.exit(os.waitstatus_to_exitcode(status))

if __name__ == "__main__":
    main(*sys.argv[1:])
"""


def _run(command: list[str], **options) -> subprocess.CompletedProcess[str]:
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True, **options
    )
    try:
        out, err = process.communicate(timeout=120)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        pytest.fail(f"it hangs: {command}")
    return subprocess.CompletedProcess(command, process.returncode, out, err)


@pytest.mark.parametrize(
    ("kind", "way"),
    [
        *(("reader", way) for way in ("bare", "idle", "threads", "fork", "spawn")),
        *(("many", way) for way in ("bare", "idle")),
        *(("gguf", way) for way in ("bare", "idle", "fork", "spawn")),
    ],
)
def test_a_child_of_a_process_that_has_used_a_model_answers_and_ends(tmp_path, request, kind, way) -> None:
    path = str(request.getfixturevalue("smollm2_path")) if kind == "gguf" else ""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    done = _run([sys.executable, str(script), kind, way, path])
    assert (done.returncode, done.stderr) == (0, "")
    said = done.stdout.split("\n")[:-1]
    assert len(said) == {"idle": 1, "threads": 8}.get(way, 2)
    assert len(set(said)) == 1


def test_one_answer_writes_nothing_into_an_empty_home(tmp_path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    script = f"import os; from twosup_chain import ExtractiveReader; ExtractiveReader().invoke({QUESTION!r})\n"
    script += "print(os.environ['ORT_DISABLE_TELEMETRY'])"
    places = {name: str(home) for name in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")}
    done = _run([sys.executable, "-c", script], env={**os.environ, **places})
    assert (done.returncode, done.stdout) == (0, "1\n")
    assert [*home.rglob("*")] == []


def test_a_chain_is_pickled_after_its_first_call_as_before_it(monkeypatch) -> None:
    cloudpickle = pytest.importorskip("cloudpickle")
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    chain = TwoSupervisorChain(
        local=ExtractiveReader(),
        local_supervisor=Supervisor(EmbeddingSimilarity(DeterministicFakeEmbedding(size=8)), threshold=1.0),
        remote=ChatAnswerer(
            "openai:gpt-4.1-mini", model_kwargs={"base_url": "http://127.0.0.1:9/v1", "max_retries": 0}
        ),
        remote_supervisor=Supervisor("grounded", threshold=0.0),
        on_remote_error="no_answer",
    )
    before = pickle.loads(pickle.dumps(chain))  # noqa: S301
    found = chain.invoke(QUESTION)
    assert found.status == "untrusted"
    after = pickle.loads(pickle.dumps(chain))  # noqa: S301
    for copy in (before, after, cloudpickle.loads(cloudpickle.dumps(chain))):
        again = copy.invoke(QUESTION)
        assert (again.local.text, again.local.scores, again.error) == (
            found.local.text,
            found.local.scores,
            found.error,
        )


APP = f"""
from twosup_chain import ExtractiveReader

reader = ExtractiveReader()
reader.invoke({QUESTION!r})

def app(environ, start):
    text = reader.invoke({QUESTION!r}).text.encode()
    start("200 OK", [("Content-Length", str(len(text)))])
    return [text]
"""


def test_gunicorn_with_preload_answers_and_its_workers_end(tmp_path: Path) -> None:
    pytest.importorskip("gunicorn")
    (tmp_path / "served.py").write_text(APP)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    log = tmp_path / "log"
    options = ["--preload", "--workers", "2", "--max-requests", "3", "--timeout", "20", "--bind", address]
    command = [sys.executable, "-m", "gunicorn", *options, "--log-file", str(log), "served:app"]
    with subprocess.Popen(command, cwd=tmp_path, start_new_session=True) as process:
        try:
            answers = [_get(f"http://{address}/") for _ in range(12)]
            process.terminate()
            assert process.wait(30) == 0
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    assert answers == ["Ada"] * 12
    said = log.read_text()
    assert said.count("Autorestarting worker") >= 2
    assert "TIMEOUT" not in said
    assert not any(killed in said for killed in ("SIGSEGV", "SIGABRT", "SIGKILL"))


def _get(url: str) -> str:
    for _ in range(200):
        with suppress(OSError), urllib.request.urlopen(url, timeout=20) as reply:  # noqa: S310 (loopback)
            return reply.read().decode()
        time.sleep(0.1)
    pytest.fail("the server does not answer")
