"""Every example is short, runs as its own docstring says, and prints what a reader would expect."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.integration

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(name: str, *arguments: str) -> str:
    environment = {key: value for key, value in os.environ.items() if not key.endswith("_API_KEY")}
    command = [sys.executable, str(EXAMPLES / name), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_there_is_a_test_for_every_example_and_each_is_under_60_lines() -> None:
    names = {path.name for path in EXAMPLES.glob("*.py")}
    tested = set(re.findall(r"run\(\s*\"(\w+\.py)\"", Path(__file__).read_text()))
    assert names == tested | {"local_search.py"}
    assert all(len((EXAMPLES / name).read_text().splitlines()) < 60 for name in names)


def test_quickstart_answers_three_questions_and_abstains_from_the_fourth() -> None:
    lines = run("01_quickstart.py").splitlines()
    assert [line.split("  ")[0] for line in lines] == ["Maud Ferris", "eight", "2019", "(no answer)"]


def test_calibrating_fixes_thresholds_and_checks_them_on_other_questions() -> None:
    output = run("02_calibrate.py")
    assert "144 questions recorded" in output
    limit, found = re.search(r"risk: promised at most ([\d.]+), is ([\d.]+)", output).groups()
    assert (float(limit), 0 <= float(found) <= 1) == (0.2, True)


def test_a_chatbot_streams_each_turn_and_tells_who_wrote_it_and_what_it_cost(smollm2_path, llama_server) -> None:
    pytest.importorskip("llama_cpp")
    pytest.importorskip("langchain_openai")
    output = run("03_chatbot.py", str(smollm2_path), llama_server)
    assert output.count("you: ") == output.count("bot: ") == 2
    assert len(re.findall(r"\[(?:local|remote|none), \d+ tokens\] local .*mean_token_probability", output)) == 2
    assert not re.search(r"bot:\s*\n", output)


def test_rag_cites_its_documents_or_says_that_they_do_not_say() -> None:
    pytest.importorskip("wordllama")
    lines = run("04_rag.py").splitlines()
    assert re.search("the harbour master|Ailsa Crane", lines[1])  # the passage has "the harbour master, Ailsa Crane"
    assert "Tides at Brennick Harbour, characters" in lines[2]
    assert lines[3:5] == ["On which quay is the tide gauge?", "  Custom House Quay  [answered, local]"]
    assert "That is not in the documents." in lines[-1]


def test_rag_with_a_server_condenses_the_conversation_and_answers_it(llama_server) -> None:
    pytest.importorskip("wordllama")
    pytest.importorskip("langchain_openai")
    alone, hosted = run("04_rag.py").splitlines(), run("04_rag.py", llama_server).splitlines()
    assert hosted[: len(alone) - 1] == alone[:-1]
    assert len(hosted) == len(alone) + 1
    assert hosted[-1].strip()


def test_a_graph_goes_on_where_the_status_says_so() -> None:
    pytest.importorskip("wordllama")
    pytest.importorskip("langgraph")
    output = run("05_rag_langgraph.py")
    assert "Ailsa Crane  [answered, 3 passages read]" in output
    assert "cited: Tides at Brennick Harbour, characters" in output
    assert "(left open)" in output


def test_an_agent_searches_and_the_reader_answers_from_what_was_found(llama_server) -> None:
    for package in ("wordllama", "langchain", "langchain_openai"):
        pytest.importorskip(package)
    lines = run("06_agent.py", llama_server).splitlines()
    assert lines[1] == "  Ailsa Crane  [answered, local]"
    assert lines[3] == "Who painted the ceiling of the opera house?"
    assert lines[4].startswith("  The handbook does not say.")


def test_a_scorer_of_ones_own_refuses_what_cannot_be_right() -> None:
    lines = run("07_your_own_scorer.py").splitlines()
    assert [line.split("  ")[2] for line in lines] == ["14 euros", "1987", "(no answer)"]
    assert "plausible 0.000" in lines[2]


def test_llama_cpp_with_a_hosted_model_answers_every_question(smollm2_path, llama_server) -> None:
    pytest.importorskip("llama_cpp")
    pytest.importorskip("langchain_openai")
    output = run("08_llama_cpp_and_openai.py", str(smollm2_path), llama_server)
    assert output.count("tokens,") == 3
    assert "min_token_probability" in output


def test_opentelemetry_sees_the_parts_of_the_chain_as_spans_below_one(monkeypatch) -> None:
    pytest.importorskip("opentelemetry.sdk")
    for switch in ("LANGSMITH_TRACING", "LANGSMITH_OTEL_ENABLED", "LANGSMITH_OTEL_ONLY"):
        monkeypatch.setenv(switch, "true")
    told = {"twosup_part": "local_supervisor", "twosup_scorer": "answerability", "twosup_threshold": 0.7}
    assert run("09_opentelemetry.py").splitlines() == [
        "library: answered, local",
        "  local: {'twosup_part': 'local'}",
        f"  local_supervisor: {told}",
    ]


def test_progress_is_told_step_by_step_in_a_terminal_and_as_server_sent_events() -> None:
    lines = run("10_progress.py").splitlines()
    assert lines[:3] == ["reading …", "can that be trusted?", "no: asking the hosted model …"]
    assert lines[3:] == ["The Friends of the Library  [answered, remote]"]
    spec = spec_from_file_location("progress", EXAMPLES / "10_progress.py")
    example = module_from_spec(spec)
    spec.loader.exec_module(example)
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(example.app({}, None, send))
    pieces = [message["body"].decode() for message in sent[1:-1]]
    assert all(piece.startswith("data: ") and piece.endswith("\n\n") for piece in pieces)
    steps = [json.loads(piece[6:]) for piece in pieces]
    assert [step.get("step") for step in steps] == ["local", "local_supervisor", "remote", None]
    assert steps[-1] == {"answer": "The Friends of the Library", "status": "answered", "source": "remote"}


def test_a_support_inbox_is_routed_where_the_classifier_is_sure_and_a_person_has_the_rest(llama_server) -> None:
    for package in ("langchain_core.decisions", "langchain_openai", "scipy"):
        pytest.importorskip(package)
    alone = run("11_support_inbox.py").splitlines()
    expected = ["billing", "technical", "a person", "sales", "a person", "a person"]
    assert [line[:10].strip() for line in alone] == expected
    assert "local answer not trusted (max_softmax" in alone[4]
    hosted = run("11_support_inbox.py", llama_server).splitlines()
    trusted = [place for place, team in enumerate(expected) if team != "a person"]
    assert [hosted[place] for place in trusted] == [alone[place] for place in trusted]
    assert all("remote" in hosted[place] for place in (2, 4, 5))
