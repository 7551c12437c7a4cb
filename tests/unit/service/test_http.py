"""What a request passes before it is taken: a key, a size, a form; and what an error says."""

from __future__ import annotations

import asyncio
import base64

import pytest
from serving import ask, route, serve
from starlette.requests import Request

from twosup_chain.errors import ConfigurationError, DeadlineError
from twosup_chain.service.config import ServerTable
from twosup_chain.service.http import Keys, RefusedError, body_of, error_document

KEYS = Keys({"alice": b"key-of-alice-1", "bob": b"key-of-bob-22"}, {"ops": b"key-of-ops-333"})
PAGES = ("/metrics", "/")


def bearer(key):
    return {"authorization": f"Bearer {key}"}


@pytest.mark.parametrize("headers", [{}, bearer("key-of-nobody"), bearer(""), {"authorization": "Basic x"}])
def test_without_a_key_nothing_is_told(headers) -> None:
    with serve(route(), KEYS) as served:
        for path in ("/v1/models", *PAGES):
            response = served.get(path, headers=headers)
            assert (response.status_code, response.json()["error"]["type"]) == (401, "authentication_error")
            assert response.headers["www-authenticate"]
        assert served.get("/healthz").status_code == 200


def test_a_key_names_its_caller() -> None:
    with serve(route(), KEYS) as served:
        for name, key in KEYS.callers.items():
            served.headers.update(bearer(key.decode()))
            assert ask(served).status_code == 200
            assert served.decisions[-1].caller == name


def test_callers_do_not_see_the_operators_pages_and_operators_do_not_ask() -> None:
    with serve(route(), KEYS) as served:
        for path in PAGES:
            assert served.get(path, headers=bearer("key-of-alice-1")).status_code == 401
            assert served.get(path, headers=bearer("key-of-ops-333")).status_code == 200
        served.headers.update(bearer("key-of-ops-333"))
        assert ask(served).status_code == 401


@pytest.mark.parametrize(
    ("keys", "server"), [(Keys(KEYS.callers), {"callers": {"alice": "A"}}), (None, {"host": "::", "anyone": True})]
)
def test_without_admin_keys_others_see_no_pages(keys, server) -> None:
    with serve(route(), keys, **server) as served:
        for path in PAGES:
            response = served.get(path, headers=bearer("key-of-alice-1"))
            assert response.status_code == 403
            assert "admin_keys" in response.json()["error"]["message"]


def test_a_browser_sends_the_key_as_a_password() -> None:
    password = base64.b64encode(b"me:key-of-ops-333").decode()
    with serve(route(), KEYS) as served:
        assert served.get("/", headers={"authorization": f"Basic {password}"}).status_code == 200


def test_keys_come_from_the_environment_are_no_short_words_and_nobody_has_another_ones(monkeypatch) -> None:
    server = ServerTable(callers={"alice": "ALICE_KEY"}, admin_keys={"ops": "OPS_KEY"})
    monkeypatch.setenv("OPS_KEY", "key-of-ops-333")
    monkeypatch.setenv("ALICE_KEY", " key-of-alice-1\n")
    assert Keys.of(server) == Keys({"alice": b"key-of-alice-1"}, {"ops": b"key-of-ops-333"})
    assert "key-of" not in repr(Keys.of(server))
    for value in ("", "short"):
        monkeypatch.setenv("ALICE_KEY", value)
        with pytest.raises(ConfigurationError, match="server.callers.alice: set ALICE_KEY"):
            Keys.of(server)
    monkeypatch.setenv("ALICE_KEY", "key-of-ops-333")
    with pytest.raises(ConfigurationError, match="admin_keys.ops has the key of a caller"):
        Keys.of(server)


def test_a_body_that_is_too_long_is_not_read_to_its_end() -> None:
    with serve(route(), max_body=1024) as served:
        assert ask(served, "Who?" + "x" * 2000).status_code == 413
        assert ask(served).status_code == 200


async def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch) -> None:
    async def receive():
        await asyncio.sleep(60)

    monkeypatch.setattr("twosup_chain.service.http.PATIENCE", 0.05)
    scope = {"type": "http", "headers": [(b"content-type", b"application/json")]}
    with pytest.raises(RefusedError, match="within 0.05 s"):
        await body_of(Request(scope, receive), 1000)


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{}", "text/plain", 415),
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"model": "docs", "question": " "}', "application/json", 400),
        (b'{"model": "docs", "question": "Who?", "context": 3}', "application/json; charset=utf-8", 400),
    ],
)
def test_a_body_that_is_none_is_refused(content, kind, status) -> None:
    with serve(route()) as served:
        response = served.post("/v1/answer", content=content, headers={"content-type": kind})
    assert response.status_code == status
    assert response.json()["error"]["message"]


def test_pages_of_other_origins_may_not_ask_unless_they_are_named() -> None:
    asked = {"origin": "https://shop.example", "access-control-request-method": "POST"}
    with serve(route()) as served:
        assert "access-control-allow-origin" not in served.options("/v1/answer", headers=asked).headers
    with serve(route(), cors=("https://shop.example",)) as served:
        assert served.options("/v1/answer", headers=asked).headers["access-control-allow-origin"] == asked["origin"]
        other = {**asked, "origin": "https://other.example"}
        assert "access-control-allow-origin" not in served.options("/v1/answer", headers=other).headers


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (ValueError("a bug"), 500, "internal_error"),
        (ConfigurationError("a wrong option"), 500, "configuration_error"),
        (DeadlineError(3.0), 504, "deadline_error"),
    ],
)
def test_an_error_says_whose_it_is(error, status, kind) -> None:
    found, document, _ = error_document(error)
    assert (found, document["error"]["type"], document["error"]["code"]) == (status, kind, status)
