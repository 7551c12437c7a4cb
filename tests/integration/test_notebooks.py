"""Every notebook runs from its first cell to its last, without a key or a server, and shows its pictures."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
#: How many pictures each shows.
PICTURES = {"1_first_steps": 2, "2_calibrate": 4, "3_rag": 1, "4_study": 3, "5_decisions": 2, "6_from_logs": 2}
#: Those that read other files of the repository, and are run where they lie.
AT_HOME = ("4_study", "5_decisions")


def pictures(notebook) -> int:
    outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", ())]
    return sum("image/png" in output.get("data", {}) for output in outputs)


@pytest.fixture
def no_keys(monkeypatch):
    for name in [name for name in os.environ if name.endswith("_API_KEY")]:
        monkeypatch.delenv(name)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_shows_its_pictures(path: Path, tmp_path: Path, no_keys) -> None:
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    more = {"3_rag": ["wordllama"], "5_decisions": ["langchain_core.decisions", "scipy"]}.get(path.stem, [])
    for package in ("ipykernel", "matplotlib", *more):
        pytest.importorskip(package)
    notebook = nbformat.read(path, as_version=4)
    folder = path.parent if path.stem in AT_HOME else tmp_path
    run = nbclient.NotebookClient(
        notebook, timeout=1200, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    ).execute()  # a cell that fails raises
    assert pictures(run) == PICTURES[path.stem]


def test_there_are_six_notebooks() -> None:
    assert [path.stem for path in NOTEBOOKS] == sorted(PICTURES)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_with_its_outputs_small_and_without_traces_of_a_machine(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    notebook = json.loads(text)
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    assert pictures(notebook) == PICTURES[path.stem]
    assert len(text) < 300_000
    assert not any(trace in text for trace in ("/home/", "/root/", "/site-packages/", "Traceback"))
