"""mypy and pyright refuse a misspelt and a mistyped option, and accept what README and documentation show."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from documentation.snippets import PAGES, ROOT, snippets

pytest.importorskip("mypy")
pytest.importorskip("basedpyright")

#: Each line is refused, and by which of its words.
REFUSED = {
    'TwoSupervisorChain(local=str, local_supervisor=Supervisor("backed", threshold=0.5), remot=3)': "remot",
    'TwoSupervisorChain.from_calibration("c.json", local=str, remote=str, on_remote_eror="raise")': "on_remote_eror",
    'Supervisor("backed", threshold="high")': "threshold",
    'Supervisor("backed", treshold=0.5)': "treshold",
    'ExtractiveReader(modle="base")': "modle",
    'ExtractiveReader(max_answer_tokens="many")': "max_answer_tokens",
    "LlamaCppAnswerer(model_path=3)": "model_path",
    'LlamaCppChat(mdel_path="x")': "mdel_path",
    'TwoSupervisorChatModel(local=str, local_supervisor=Supervisor("backed", threshold=0.5), remot=3)': "remot",
    'ChatAnswerer("openai:x", promt=3)': "promt",
    'SelfConsistent("openai:x", sampels=3)': "sampels",
    'QuestionCondenser("openai:x", max_mesages=3)': "max_mesages",
    'QAInput("Who?", contxt="x")': "contxt",
    'Answer("x", scors={})': "scors",
}
ACCEPTED = """
TwoSupervisorChain(local=lambda question: "x", local_supervisor=Supervisor("backed", threshold=1), deadline=None)
TwoSupervisorChain(
    local=ExtractiveReader(model=Path("folder")),
    local_supervisor=Supervisor(lambda question, answer, local=None: 0.5, threshold=0.5),
    remote="openai:gpt-4.1-mini",
    remote_supervisor=Supervisor("grounded", threshold=0.5, missing=None),
    fallback="raise",
    never_escalate=[r"[A-Z]{2}[0-9]{20}", {"metadata": {"secret": True}}],
)
LlamaCppAnswerer(model_path="model.gguf")
LlamaCppAnswerer(model_path=Path("model.gguf"))
QAInput("Who?", ["one", "another"])
Answer(None, scores={"answerability": 0.2}, token_logprobs=[-0.1, ("x", -0.2)])
"""
HEAD = f"""from pathlib import Path
from twosup_chain import {", ".join(sorted({re.match(r"[A-Za-z]+", line)[0] for line in REFUSED}))}
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Returns what both checkers say of every file, by checker and file: (line, message)."""
    folder = tmp_path_factory.mktemp("typed")
    (folder / "refused.py").write_text(HEAD + "\n".join(REFUSED) + "\n")
    (folder / "accepted.py").write_text(HEAD + ACCEPTED)
    for page in PAGES:
        if pieces := snippets(page):
            name = str(page.relative_to(ROOT).with_suffix("")).replace("/", "_").replace("-", "_").lower()
            (folder / f"{name}_page.py").write_text("\n".join(piece.code for piece in pieces))
    (folder / "pyrightconfig.json").write_text('{"typeCheckingMode": "standard", "pythonVersion": "3.11"}')
    command = [sys.executable, "-m", "mypy", "--config-file=", "--no-error-summary", "--follow-imports=silent"]
    mypy = subprocess.run([*command, "."], cwd=folder, capture_output=True, text=True, check=False)
    said = {"mypy": {}, "pyright": {}}
    for file, line, message in re.findall(r"^(\w+\.py):(\d+): error: (.*)$", mypy.stdout, re.MULTILINE):
        said["mypy"].setdefault(file, []).append((int(line), message))
    assert said["mypy"], mypy.stdout + mypy.stderr
    command = [sys.executable, "-m", "basedpyright", "--outputjson", f"--pythonpath={sys.executable}"]
    pyright = subprocess.run([*command, "."], cwd=folder, capture_output=True, text=True, check=False)
    for item in json.loads(pyright.stdout)["generalDiagnostics"]:
        if item["severity"] == "error":
            place = (item["range"]["start"]["line"] + 1, item["message"])
            said["pyright"].setdefault(item["file"].rpartition("/")[2], []).append(place)
    return said


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_every_misspelt_or_mistyped_option_is_refused(found, checker):
    lines = found[checker]["refused.py"]
    for number, (line, word) in enumerate(REFUSED.items(), HEAD.count("\n") + 1):
        said = [message for at, message in lines if at == number]
        assert any(f'"{word}"' in message for message in said), f"{line}: {said}"


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_what_is_right_and_what_the_pages_show_is_accepted(found, checker):
    assert {file: said for file, said in found[checker].items() if file != "refused.py"} == {}
