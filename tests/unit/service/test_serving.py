"""A worker process serves the file that it is told of, where the server is."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from twosup_chain.errors import ConfigurationError
from twosup_chain.service import serving

FILE = """
[server]
anyone = true
[routes.docs]
local_scorer = "answerability"
local_threshold = 0.6
"""


@pytest.mark.parametrize(("host", "status"), [("127.0.0.1", 200), ("::", 403)])
def test_a_worker_shows_its_pages_to_nobody_where_others_reach_the_server(host, status, tmp_path, monkeypatch) -> None:
    (tmp_path / "twosup.toml").write_text(FILE)
    monkeypatch.setenv(serving.CONFIG, str(tmp_path / "twosup.toml"))
    monkeypatch.setenv(serving.HOST, host)
    with TestClient(serving.app()) as client:
        assert client.get("/").status_code == status
        assert client.get("/v1/models").status_code == 200


def test_without_a_file_a_worker_says_what_to_set(monkeypatch) -> None:
    monkeypatch.delenv(serving.CONFIG, raising=False)
    with pytest.raises(ConfigurationError, match="set TWOSUP_CONFIG"):
        serving.app()
