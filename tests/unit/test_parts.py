"""The parts of a chain from the command line's words: keys, addresses, and what a missing package says."""

from __future__ import annotations

import getpass
import sys

import pytest

from twosup_chain import parts
from twosup_chain.errors import ConfigurationError, MissingExtraError, ModelFileError

LOOPBACK = "http://127.0.0.1:8123/v1"


class _Terminal:
    def __init__(self, is_one):
        self.is_one = is_one

    def isatty(self):
        return self.is_one


@pytest.fixture(autouse=True)
def _langchain_openai_is_there(monkeypatch):
    monkeypatch.setattr(parts, "find_spec", lambda _: object())  # nothing here calls a model


@pytest.fixture
def typed(monkeypatch):
    """Returns a function that sets what is typed at the prompt; ``None``: there is no terminal."""

    def set_typed(text):
        monkeypatch.setattr(sys, "stdin", _Terminal(text is not None))
        monkeypatch.setattr(getpass, "getpass", lambda _: text)

    set_typed(None)
    monkeypatch.setenv(parts.KEY, "")  # so that what the code sets is undone
    return set_typed


def options_of(answerer):
    return answerer.model._model_kwargs


def test_a_key_of_the_environment_is_used(typed, monkeypatch):
    monkeypatch.setenv(parts.KEY, " sk-from-the-environment ")
    assert options_of(parts.remote_answerer("openai:m", None, "context"))["api_key"] == "sk-from-the-environment"


def test_a_key_is_asked_for_where_there_is_a_terminal(typed):
    typed("sk-typed")
    answerer = parts.remote_answerer("openai:m", None, "context")
    assert options_of(answerer)["api_key"] == "sk-typed"
    assert "sk-typed" not in repr(answerer)


@pytest.mark.parametrize("text", [None, "", "  "])
def test_without_a_key_and_without_an_answer_to_the_prompt_the_variable_is_named(typed, text):
    typed(text)
    with pytest.raises(ConfigurationError, match="set OPENAI_API_KEY in the environment"):
        parts.remote_answerer("openai:m", "https://example.org/v1", "context")


@pytest.mark.parametrize("url", [LOOPBACK, "http://localhost/v1", "http://[::1]:80/v1", "http://127.1.2.3/v1"])
def test_a_server_on_this_machine_needs_no_key(typed, url):
    options = options_of(parts.remote_answerer("m", url, "context"))
    assert options["api_key"] == "none"
    assert options["base_url"] == url


@pytest.mark.parametrize("url", ["", "127.0.0.1:8000", "ftp://host/v1", "http://", "http://[::1", "http://host:99999"])
def test_an_address_that_is_none_is_named(typed, url):
    with pytest.raises(ConfigurationError, match="--remote-url .* is no address of a server"):
        parts.remote_answerer("m", url, "context")


@pytest.mark.parametrize(
    ("model", "name"), [("m", "openai:m"), ("openai:m", "openai:m"), ("qwen2.5:7b", "openai:qwen2.5:7b")]
)
def test_with_an_address_the_model_is_called_what_the_server_calls_it(typed, model, name):
    assert parts.remote_answerer(model, LOOPBACK, "context").model.model_name == name


def test_token_probabilities_are_asked_for_only_where_the_scorer_reads_them(typed):
    assert "logprobs" not in options_of(parts.remote_answerer("m", LOOPBACK, "context"))
    assert options_of(parts.remote_answerer("m", LOOPBACK, "logprobs"))["logprobs"] is True


@pytest.mark.parametrize("scorer", ["min_token_margin", "learned_remote"])
def test_the_likeliest_alternatives_are_asked_for_too(typed, scorer):
    needs = parts.scorer_of(scorer, "remote").needs
    assert options_of(parts.remote_answerer("m", LOOPBACK, needs))["top_logprobs"] == 5


def test_a_stated_confidence_is_asked_for_where_it_is_the_scorer(typed):
    assert parts.remote_answerer("m", LOOPBACK, "stated_confidence").stated_confidence
    assert parts.remote_answerer("anthropic:claude", None, "stated_confidence").stated_confidence
    assert not parts.remote_answerer("m", LOOPBACK, "context").stated_confidence


def test_a_reasoning_model_gets_no_temperature(typed, monkeypatch):
    monkeypatch.setenv(parts.KEY, "sk-x")
    assert "temperature" not in options_of(parts.remote_answerer("openai:o3-mini", None, "context"))
    assert options_of(parts.remote_answerer("openai:gpt-4.1-mini", None, "context"))["temperature"] == 0


def test_another_provider_finds_its_own_key(typed):
    answerer = parts.remote_answerer("anthropic:claude", None, "context")
    assert answerer.model.model_name == "anthropic:claude"
    assert options_of(answerer) == {}


def test_another_provider_takes_a_key_from_a_variable_that_is_named(typed, monkeypatch):
    monkeypatch.setenv("MY_KEY", "sk-mine")
    assert options_of(parts.remote_answerer("anthropic:claude", None, None, key="ANTHROPIC_API_KEY")) == {}
    assert options_of(parts.remote_answerer("anthropic:claude", None, None, key="MY_KEY")) == {"api_key": "sk-mine"}


def test_a_remote_that_is_no_model_is_named(typed):
    with pytest.raises(ConfigurationError, match="provider:model"):
        parts.remote_answerer("gpt", None, "context")


def test_a_missing_package_is_named_with_the_command_that_installs_it(typed, monkeypatch):
    monkeypatch.setattr(parts, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"needs langchain-openai: pip install 'twosup-chain\[openai\]'"):
        parts.remote_answerer("openai:m", LOOPBACK, "context")


def test_a_reader_is_the_packaged_one_or_named(tmp_path):
    assert parts.local_answerer("reader").model == "small"
    assert parts.local_answerer(f"reader:{tmp_path}").model == tmp_path
    assert parts.local_answerer("reader:small").model == "small"


def test_a_classifier_decides_by_its_folder(tmp_path):
    pytest.importorskip("langchain_core.decisions")
    assert parts.local_answerer(f"classifier:{tmp_path}").model.model == str(tmp_path)


@pytest.mark.parametrize("spec", ["", "llama", "llama:", "reader:", "Reader", "gpt", "classifier:"])
def test_a_local_model_that_is_none_is_named(spec):
    with pytest.raises(ConfigurationError, match="is no local model: pass 'reader', 'reader:base' or 'llama:PATH'"):
        parts.local_answerer(spec)


def test_a_gguf_file_that_is_missing_or_none_is_named(tmp_path):
    pytest.importorskip("llama_cpp")
    with pytest.raises(ModelFileError, match="does not exist"):
        parts.local_answerer(f"llama:{tmp_path}/missing.gguf")
    (tmp_path / "text.gguf").write_text("this is not a model")
    with pytest.raises(ModelFileError, match="no GGUF file"):
        parts.local_answerer(f"llama:{tmp_path}/text.gguf")
