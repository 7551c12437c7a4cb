"""Whatever README and documentation show in Python runs as it stands, in the order of its page."""

from __future__ import annotations

import pytest
from documentation.snippets import PAGES, ROOT, snippets

pytestmark = pytest.mark.integration


@pytest.mark.parametrize(
    "page", [page for page in PAGES if snippets(page)], ids=lambda page: str(page.relative_to(ROOT))
)
def test_a_page_s_python_runs(page, tmp_path, monkeypatch, capsys):
    pytest.importorskip("langchain_openai")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "none")  # nobody is asked
    names: dict[str, object] = {"__name__": "__main__"}
    for snippet in snippets(page):
        if snippet.runs:
            exec(compile(snippet.code, str(page), "exec"), names)  # noqa: S102
