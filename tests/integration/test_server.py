"""The server as its users have it: a process, OpenAI's client, curl, a browser; it ends in peace; worker processes."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import threading

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from served import process

from twosup_chain.demo.run import SAMPLE
from twosup_chain.text.questions import load_questions

openai = pytest.importorskip("openai")
pytestmark = pytest.mark.integration

TOOL = {"name": "search", "parameters": {"type": "object", "properties": {"query": {"type": "string"}}}}
PARTS = """
import os
import time


def local(question):
    time.sleep(0.8 if "slow" in question.question else 0.02)
    return str(os.getpid())
"""
CONFIG = """
[server]
workers = {workers}
[log]
where = "decisions.db"
[routes.docs]
local = "parts.py:local"
local_scorer = "parts.py:sure"
local_threshold = 0.5
"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The demo's server."""
    with process("--demo", folder=tmp_path_factory.mktemp("demo"), OPENAI_API_KEY="") as server:
        yield server


@pytest.fixture
def client(demo):
    """OpenAI's own client, which must have some key; the server wants none."""
    with openai.OpenAI(base_url=f"{demo.url}/v1", api_key="none", max_retries=0) as made:
        yield made


@pytest.fixture
def files(tmp_path):
    """Returns a function that writes a configuration and its parts, and returns their folder."""

    def write(workers=1):
        (tmp_path / "parts.py").write_text(PARTS + "\n\ndef sure(question, answer, *, local=None):\n    return 1.0\n")
        (tmp_path / "twosup.toml").write_text(CONFIG.format(workers=workers))
        return tmp_path

    return write


def test_openais_client_is_answered_whole_and_in_pieces(client) -> None:
    assert [model.id for model in client.models.list()] == ["demo"]
    sources = set()
    for example in load_questions(SAMPLE)[:12]:
        told = [{"role": "system", "content": example.context}, {"role": "user", "content": example.question}]
        whole = client.chat.completions.create(model="demo", messages=told)
        pieces = list(client.chat.completions.create(model="demo", messages=told, stream=True))
        text = "".join(choice.delta.content or "" for piece in pieces for choice in piece.choices)
        assert text == whole.choices[0].message.content
        assert text.strip()
        assert pieces[-1].twosup["source"] == whole.twosup["source"]
        sources.add(whole.twosup["source"])
    assert sources >= {"local", "none"}


def test_openais_client_calls_tools_and_is_told_the_decision(client) -> None:
    asked = {
        "model": "demo",
        "messages": [{"role": "user", "content": "Who?"}],
        "tools": [{"type": "function", "function": TOOL}],
    }
    raw = client.chat.completions.with_raw_response.create(**asked)
    completion = raw.parse()
    assert raw.headers["x-twosup-decision"] == completion.twosup["id"]
    assert completion.choices[0].message.tool_calls[0].function.arguments == '{"query": "Who?"}'
    with client.chat.completions.stream(**asked) as stream:
        (call,) = stream.get_final_completion().choices[0].message.tool_calls
    assert call.function.name == "search"


def test_openais_client_is_told_what_is_wrong(client) -> None:
    with pytest.raises(openai.NotFoundError, match="there are: demo"):
        client.chat.completions.create(model="gpt", messages=[{"role": "user", "content": "Who?"}])
    with pytest.raises(openai.BadRequestError, match="n = 3"):
        client.chat.completions.create(model="demo", messages=[{"role": "user", "content": "Who?"}], n=3)


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_curl_is_answered(demo) -> None:
    body = '{"model": "demo", "question": "Who wrote it?", "context": "Ada Lovelace wrote it in 1843."}'
    command = ["curl", "-sS", "-H", "Content-Type: application/json", "-d", body, f"{demo.url}/v1/answer"]
    assert '"answer":"Ada Lovelace"' in subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium")
def test_a_browser_shows_the_day(demo, client, tmp_path) -> None:
    for example in load_questions(SAMPLE)[:6]:
        told = [{"role": "system", "content": example.context}, {"role": "user", "content": example.question}]
        client.chat.completions.create(model="demo", messages=told)
    count = httpx.get(demo.url).text.count("<td><code>dec_")
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}", "--enable-logging=stderr"]
    shown = subprocess.run(
        ["chromium", *options, "--dump-dom", f"{demo.url}/"], check=True, capture_output=True, text=True, timeout=120
    )
    assert "<h1>Today</h1>" in shown.stdout
    assert shown.stdout.count("<td><code>dec_") == count >= 6
    assert "Refused to" not in shown.stderr  # the page loads nothing, and its own policy lets it be shown
    picture = tmp_path / "page.png"
    subprocess.run(
        ["chromium", *options, f"--screenshot={picture}", f"{demo.url}/"], check=True, capture_output=True, timeout=120
    )
    assert picture.stat().st_size > 10_000


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_the_demo_leaves_nothing_behind(told, tmp_path) -> None:
    (tmp_path / "tmp").mkdir()
    with process("--demo", folder=tmp_path, TMPDIR=str(tmp_path / "tmp")) as server:
        assert list((tmp_path / "tmp").iterdir())
        server.send_signal(told)
        assert server.wait(30) == 0
    assert list((tmp_path / "tmp").iterdir()) == []
    assert "rror" not in server.told.read_text()


@pytest.mark.parametrize("stream", [False, True])
def test_a_request_under_way_is_answered_when_the_server_is_told_to_end(files, stream) -> None:
    folder = files()
    with process("--config", "twosup.toml", folder=folder) as server:
        found = []
        asked = {"model": "docs", "context": "a", "question": "slow", "stream": stream}
        asked["messages"] = [{"role": "user", "content": "slow"}]
        path = "chat/completions" if stream else "answer"
        thread = threading.Thread(target=lambda: found.append(httpx.post(f"{server.url}/v1/{path}", json=asked)))
        thread.start()
        while not httpx.get(f"{server.url}/metrics").text.count("twosup_"):
            pass
        threading.Event().wait(0.3)
        server.send_signal(signal.SIGTERM)
        thread.join(30)
        assert server.wait(30) == 0
    assert str(server.pid) in found[0].text
    assert found[0].text.endswith("data: [DONE]\n\n") == stream


def test_a_caller_who_leaves_takes_the_call_of_the_hosted_model_along(tmp_path) -> None:
    left = threading.Event()

    def never_reply(listening):
        connection, _ = listening.accept()
        while connection.recv(4096):
            pass
        left.set()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=never_reply, args=(listening,), daemon=True).start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        remote = f'remote = "m"\nremote_url = "{url}"\nremote_scorer = "in_context"\nremote_threshold = 0.5\n'
        (tmp_path / "twosup.toml").write_text(
            f'[routes.docs]\nlocal_scorer = "answerability"\nlocal_threshold = 1.0\n{remote}'
        )
        with process("--config", "twosup.toml", folder=tmp_path) as server:
            asked = {"model": "docs", "question": "Who?", "context": "Ada wrote it."}
            with pytest.raises(httpx.ReadTimeout):
                httpx.post(f"{server.url}/v1/answer", json=asked, timeout=3.0)
            assert left.wait(10)


def test_workers_load_their_own_models_and_count_together(files) -> None:
    with process("--config", "twosup.toml", folder=files(workers=2)) as server:
        asked = {"model": "docs", "question": "who", "context": "a"}
        answers = [httpx.post(f"{server.url}/v1/answer", json=asked).json()["answer"] for _ in range(60)]
        families = text_string_to_metric_families(httpx.get(f"{server.url}/metrics").text)
    counted = sum(s.value for family in families for s in family.samples if s.name == "twosup_decisions_total")
    assert len(set(answers)) == 2
    assert str(server.pid) not in answers
    assert counted == 60


def test_a_gguf_writes_in_a_conversation_token_by_token(smollm2_path, tmp_path) -> None:
    trust = 'local_scorer = "min_token_probability"\nlocal_threshold = 0.0\n'
    (tmp_path / "twosup.toml").write_text(f'[routes.small]\nlocal = "llama:{smollm2_path}"\n{trust}')
    with (
        process("--config", "twosup.toml", folder=tmp_path) as server,
        openai.OpenAI(base_url=f"{server.url}/v1", api_key="none") as client,
    ):
        asked = {"model": "small", "messages": [{"role": "user", "content": "What is 2 + 2?"}], "max_tokens": 6}
        whole = client.chat.completions.create(**asked, top_p=0.5)  # which a GGUF here does not know
        pieces = list(client.chat.completions.create(**asked, stream=True))
    assert whole.twosup["source"] == "local"
    assert whole.usage.completion_tokens == 6
    assert "".join(p.choices[0].delta.content or "" for p in pieces) == whole.choices[0].message.content
    assert len(pieces) > 3


def test_a_wrong_file_is_one_line(tmp_path) -> None:
    (tmp_path / "twosup.toml").write_text('[routes.docs]\nlocal = "reader"\n')
    done = subprocess.run(
        ["twosup", "serve", "--config", "twosup.toml"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "local_scorer is missing" in done.stderr
    assert "Traceback" not in done.stderr
