"""``twosup serve`` says what it lacks in one line, and hands on what it is told."""

from __future__ import annotations

import pytest

ROUTE = '[routes.docs]\nlocal_scorer = "answerability"\nlocal_threshold = 0.6\n'


@pytest.fixture
def ran(monkeypatch):
    """What would have been served."""
    found = []
    monkeypatch.setattr("twosup_chain.service.serving.run", lambda service, path: found.append((service, path)))
    return found


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "say what to serve"),
        (("--demo", "--config", "x.toml"), "say what to serve"),
        (("--config", "none.toml"), "cannot read none.toml"),
        (("--demo", "--host", "192.0.2.1"), "lets others ask"),
    ],
)
def test_what_is_lacking_is_said(twosup, ran, arguments, words) -> None:
    result = twosup("serve", *arguments)
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.split())
    assert ran == []


def test_the_file_is_served_at_the_address_that_is_told(twosup, ran, tmp_path) -> None:
    path = tmp_path / "twosup.toml"
    path.write_text("[server]\nport = 9000\ngrace = 7\n" + ROUTE)
    assert twosup("serve", "--config", str(path), "--port", "9001").exit_code == 0
    ((service, found),) = ran
    assert (service.server.port, service.server.grace, list(service.routes), found) == (9001, 7, ["docs"], path)


def test_the_demo_needs_no_file_and_no_key(twosup, ran) -> None:
    result = twosup("serve", "--demo")
    assert (result.exit_code, list(ran[0][0].routes)) == (0, ["demo"])
    assert "http://127.0.0.1:8000/v1" in result.stderr
