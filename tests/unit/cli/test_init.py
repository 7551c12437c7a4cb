"""``twosup init``: the profile that it writes is one that the server reads, and holds no key."""

from __future__ import annotations

import json

import pytest

from twosup_chain.service.config import load


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_without_options_it_is_a_local_route_whose_thresholds_are_said_to_be_fitted_on_other_data(twosup, tmp_path):
    result = twosup("init")
    assert result.exit_code == 0
    (route,) = load("twosup.toml").routes.values()
    assert (route.local, route.remote, str(route.records)) == ("reader", None, "records.jsonl")
    assert (route.local_scorer, route.local_threshold) == ("answerability", 0.6)
    assert "fitted on 1000 questions" in (tmp_path / "twosup.toml").read_text()
    assert "twosup.toml is written" in result.stderr


def test_everything_can_be_said_and_the_key_is_only_named(twosup, tmp_path, monkeypatch):
    monkeypatch.setenv("MY_KEY", "sk-of-a-test-1234567890")
    models = ("--remote", "openai:gpt-4.1-mini", "--remote-key", "MY_KEY", "--remote-url", "https://example.org/v1")
    kept = ("--records", "r é.jsonl", "--log", "log.db", "--name", "docs v1", "--out", "p.toml")
    result = twosup("init", *models, "--remote-threshold", "0.4", *kept, "--json")
    config = load("p.toml")
    route = config.routes["docs v1"]
    assert (route.remote_key, route.remote_threshold, route.remote_scorer) == ("MY_KEY", 0.4, "in_context")
    assert (str(route.records), config.log.where) == ("r é.jsonl", "log.db")
    assert "sk-of-a-test" not in (tmp_path / "p.toml").read_text() + result.output
    assert json.loads(result.stdout)["path"] == "p.toml"


def test_a_key_that_is_not_there_yet_is_named(twosup):
    assert "OPENAI_API_KEY is not in the environment yet" in twosup("init", "--remote", "openai:m").stderr


def test_a_calibration_stands_in_place_of_thresholds(twosup):
    twosup("init", "--calibration", "c.json", "--remote", "openai:m")
    (route,) = load("twosup.toml").routes.values()
    assert (str(route.calibration), route.local_scorer, route.remote_threshold) == ("c.json", None, None)
    assert route.chat == "question"  # as the questions of a calibration were asked


def test_a_profile_that_is_there_is_not_written_over(twosup):
    twosup("init")
    result = twosup("init", "--name", "other")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "twosup.toml is there already" in result.stderr
    assert twosup("init", "--name", "other", "--force").exit_code == 0
    assert list(load("twosup.toml").routes) == ["other"]


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--local", "llama:m.gguf"), "--local-threshold is missing"),
        (("--remote", "openai:m", "--remote-key", "sk-1234567890abc"), "the name of the variable"),
        (("--local-threshold", "7"), "--local-threshold 7.0: a threshold is a number"),
    ],
)
def test_what_a_server_would_refuse_is_refused_at_once(twosup, tmp_path, options, complaint):
    result = twosup("init", *options)
    assert result.exit_code == 2
    assert complaint in result.stderr
    assert "sk-1234567890abc" not in result.stderr
    assert not (tmp_path / "twosup.toml").exists()


@pytest.mark.parametrize(
    ("remote", "variable"),
    [
        ("openai:gpt-4.1-mini", "OPENAI_API_KEY"),
        ("anthropic:claude", "ANTHROPIC_API_KEY"),
        ("google_genai:gemini", "GOOGLE_API_KEY"),
        ("mistralai:m", "MISTRAL_API_KEY"),
        ("groq:m", "GROQ_API_KEY"),
    ],
)
def test_the_variable_is_the_one_that_the_provider_s_client_reads(twosup, monkeypatch, remote, variable):
    monkeypatch.delenv(variable, raising=False)
    assert f"{variable} is not in the environment yet" in twosup("init", "--remote", remote).stderr
    assert load("twosup.toml").routes["default"].model_dump(exclude_unset=True)["remote_key"] == variable


@pytest.mark.parametrize(("remote", "said"), [("ollama:m", False), ("nobody:m", True)])
def test_where_no_key_is_needed_or_its_variable_is_not_known_none_is_written(twosup, remote, said):
    result = twosup("init", "--remote", remote)
    assert ("no remote_key is written: the variable of nobody's key is not known" in result.stderr) == said
    assert "in the environment yet" not in result.stderr
    assert "remote_key" not in load("twosup.toml").routes["default"].model_dump(exclude_unset=True)


def test_a_remote_that_is_no_model_is_refused_before_anything_is_written(twosup, tmp_path):
    result = twosup("init", "--remote", "bogus")
    assert result.exit_code == 2
    assert result.stderr == (
        "error: --remote 'bogus' is no 'provider:model': write 'openai:gpt-4.1-mini', or your own as module:name or "
        "file.py:name\n"
    )
    assert not (tmp_path / "twosup.toml").exists()
