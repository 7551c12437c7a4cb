"""``twosup.toml`` is checked before anything is loaded: each error names field, value and cure, and no key is taken."""

from __future__ import annotations

import pytest

from twosup_chain.errors import ConfigurationError
from twosup_chain.service.config import load

ROUTE = '[routes.docs]\nlocal_scorer = "answerability"\nlocal_threshold = 0.6\n'
HOSTED = ROUTE + 'remote = "openai:gpt-4.1-mini"\nremote_scorer = "grounded"\nremote_threshold = 0.5\n'


@pytest.fixture
def written(tmp_path):
    """Returns a function that writes a file and returns its path."""

    def write(text):
        path = tmp_path / "twosup.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_route_needs_no_more_than_whom_to_trust(written) -> None:
    found = load(written(ROUTE))
    assert found.routes["docs"].local == "reader"
    assert found.routes["docs"].on_remote_error == "no_answer"
    assert (found.server.host, found.server.workers, found.server.cors, found.log) == ("127.0.0.1", 1, (), None)


def test_everything_can_be_said(written) -> None:
    rest = """
remote_key = "MY_KEY"
max_tokens = 300
price = {input = 0.4, output = 1.6, currency = "EUR"}
caps = {day = 5.0, instead = "local"}
never_escalate = [{pattern = "secret"}, {metadata = {tenant = "bank"}}]
breaker = {failures = 3}
[server]
host = "0.0.0.0"
callers = {alice = "ALICE_KEY"}
[log]
where = "postgresql://twosup@db/decisions"
"""
    route = load(written(HOSTED + rest)).routes["docs"]
    assert (route.price.currency, route.caps.day, route.breaker.failures) == ("EUR", 5.0, 3)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "routes is missing"),
        ("[routes", "cannot read"),
        (ROUTE + "treshold = 1", "routes.docs.treshold: 'treshold' is no option"),
        (ROUTE + "remote_treshold = 1", "Did you mean 'remote_threshold'"),
        ("[server]\nprot = 80\n" + ROUTE, "Did you mean 'port'"),
        ("[server]\nport = 99999\n" + ROUTE, "server.port = 99999"),
        (ROUTE + 'deadline = "soon"', "routes.docs.deadline = 'soon'"),
        ("[routes.docs]\nlocal_threshold = 0.5", "local_scorer is missing"),
        (ROUTE + 'remote = "openai:gpt-4.1-mini"', "remote_scorer is missing"),
        (ROUTE + 'calibration = "c.json"', "both say whom to trust"),
        ('[server]\nhost = "0.0.0.0"\n' + ROUTE, "no .server.callers. have keys"),
        (ROUTE + "price = {input = -1.0, output = 1.0}", "input=-1.0"),
        (ROUTE + 'caps = {instead = "local"}', "caps without a cap"),
        (ROUTE + "timeout = 60.0", "timeout = 60 of a call is no less than deadline = 60"),
    ],
)
def test_a_wrong_option_is_named(written, text, words) -> None:
    with pytest.raises(ConfigurationError, match=words):
        load(written(text))


@pytest.mark.parametrize(
    "line",
    [
        'remote_key = "sk-1234567890abcdef"',
        'api_key = "hello"',
        'remote_url = "https://user:hunter22@host/v1"',
        'fallback = "sk-proj-1234567890abcdef"',
        '[server]\ncallers = {alice = "my key"}',
        '[log]\nwhere = "postgresql://me:hunter22@db/x"',
    ],
)
def test_a_key_in_the_file_is_refused_and_not_repeated(written, line) -> None:
    with pytest.raises(ConfigurationError, match="key") as caught:
        load(written(HOSTED + line))
    assert "hunter22" not in str(caught.value)
    assert "1234567890abcdef" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path) -> None:
    with pytest.raises(ConfigurationError, match="cannot read .*none.toml"):
        load(tmp_path / "none.toml")
