"""Every example is short, runs as its own docstring says, and prints what a reader would expect."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

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
    names = sorted(path.name for path in EXAMPLES.glob("*.py"))
    assert names == ["01_quickstart.py", "02_llama_cpp_and_openai.py", "03_lcel_with_retriever.py"]
    assert all(len((EXAMPLES / name).read_text().splitlines()) < 60 for name in names)


def test_quickstart_answers_three_questions_and_abstains_from_the_fourth() -> None:
    lines = run("01_quickstart.py").splitlines()
    assert [line.split("  ")[0] for line in lines] == ["Maud Ferris", "eight", "2019", "(no answer)"]


def test_llama_cpp_with_a_hosted_model_answers_every_question(smollm2_path, llama_server) -> None:
    pytest.importorskip("llama_cpp")
    pytest.importorskip("langchain_openai")
    output = run("02_llama_cpp_and_openai.py", str(smollm2_path), llama_server)
    assert output.count("tokens,") == 3
    assert "min_token_probability" in output


def test_an_lcel_pipeline_quotes_the_documents_or_says_that_they_do_not_say() -> None:
    output = run("03_lcel_with_retriever.py")
    assert "Where are receipts kept?  ->  " in output
    assert output.splitlines()[2] == "Who pays for lost luggage?  ->  not in the documents"
    assert output.splitlines()[3] == "Please ask Accounts."
