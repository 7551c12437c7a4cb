"""Routes are put together from the file: supervisors or a calibration, a gate, a log, rules; nothing is loaded yet."""

from __future__ import annotations

import pytest
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from pydantic import Field

from twosup_chain import ExtractiveReader, Supervisor, TwoSupervisorChatModel, calibrate, parts
from twosup_chain.answerers.chat import ChatAnswerer
from twosup_chain.answerers.settings import settings_of
from twosup_chain.errors import CalibrationMismatchError, ConfigurationError, TwosupError
from twosup_chain.service.app import Service
from twosup_chain.service.build import passages, routes
from twosup_chain.service.config import ServerTable, ServiceConfig

TRUST = {"local_scorer": "answerability", "local_threshold": 0.6}
HOSTED = {**TRUST, "remote": "openai:gpt-4.1-mini", "remote_scorer": "grounded", "remote_threshold": 0.5}


def made(log=None, **table):
    return routes(ServiceConfig(routes={"docs": table}, log=log))["docs"]


@pytest.fixture(autouse=True)
def _key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-a-test")


def test_chain_and_chat_model_have_the_same_parts() -> None:
    found = made(**HOSTED, never_escalate=({"pattern": "secret"},), deadline=7.0)
    assert isinstance(found.chain.local, ExtractiveReader)
    for whole in (found.chain, found.chat):
        assert (whole.local_supervisor.threshold, whole.remote_supervisor.threshold) == (0.6, 0.5)
        assert whole.never_escalate.rules[0].pattern.pattern == "secret"
        assert (whole.deadline, whole.on_remote_error) == (7.0, "no_answer")
    assert found.chat.gate is found.chain.gate
    assert found.chat.local is found.chain.local
    assert found.calls_tools
    assert not found.chain.health().ready


def test_a_route_without_a_hosted_model_calls_no_tools() -> None:
    found = made(**TRUST)
    assert (found.chain.remote, found.chain.gate, found.calls_tools) == (None, None, False)


def test_a_gguf_writes_and_answers_from_one_memory(gguf_path, scripted) -> None:
    scripted({b"Ada": 1.0})
    found = made(**{**TRUST, "local": f"llama:{gguf_path}"})
    assert found.chat.local.engine is found.chain.local.engine


def test_caps_take_a_price_and_a_log(tmp_path) -> None:
    money = {"price": {"input": 1.0, "output": 2.0}, "caps": {"day": 1.0}, "max_tokens": 10}
    with pytest.raises(ConfigurationError, match=r"routes\.docs: caps need store"):
        made(**HOSTED, **money)
    found = made(log={"where": str(tmp_path / "log.db")}, **HOSTED, **money)
    assert found.chain.gate.budget.caps.day == 1.0
    assert found.sinks[0].store is found.chain.gate.budget.store


@pytest.fixture
def calibrated(tmp_path, notes):
    """Returns a function that writes a calibration whose hosted model was asked as is told."""

    def write(**asked):
        found = calibrate(notes.records, remote_rate=0.5, local_scorer="answerability", remote_scorer="in_context")
        remote = found.remote.model_copy(update={"asked": {"temperature": 0, **asked}})
        found = found.model_copy(update={"remote": remote})
        found.save(tmp_path / "calibration.json")
        return found, tmp_path / "calibration.json"

    return write


def test_a_calibration_says_whom_to_trust(calibrated) -> None:
    found, path = calibrated()
    route = made(calibration=path, remote="openai:gpt-4.1-mini")
    assert route.calibration == found
    assert route.chain.local_supervisor.threshold == found.local.threshold


def test_a_route_asks_as_its_calibration_was_asked(calibrated) -> None:
    remote = {"remote": "openai:gpt-4.1-mini", "calibration": calibrated(logprobs=True, top_logprobs=5)[1]}
    assert settings_of(made(**remote).chain.remote) == {"temperature": 0, "logprobs": True, "top_logprobs": 5}
    assert made(**remote, max_tokens=300).max_tokens == 300
    calibrated(temperature=0.7)
    with pytest.raises(CalibrationMismatchError, match=r"routes\.docs: .*temperature=0.7 of the remote model, not 0"):
        made(**remote)
    calibrated(max_tokens=9)
    with pytest.raises(CalibrationMismatchError, match="max_tokens=9 of the remote model, not 300"):
        made(**remote, max_tokens=300)


def test_a_local_model_is_asked_as_its_calibration_was_asked(calibrated) -> None:
    found, path = calibrated()
    local = found.local.model_copy(update={"asked": {"max_answer_tokens": 7}})
    found.model_copy(update={"local": local}).save(path)
    with pytest.raises(CalibrationMismatchError, match="max_answer_tokens=7 of the local model, not 'the default'"):
        made(calibration=path)


class Seen(GenericFakeChatModel):
    """Notes what it is sent."""

    seen: list[list[str]] = Field(default_factory=list)

    def _generate(self, messages, *more, **options):
        self.seen.append([f"{message.type}: {message.text}" for message in messages])
        return super()._generate(messages, *more, **options)


def test_a_model_that_is_asked_as_a_conversation_is_sent_what_a_conversation_sends() -> None:
    model = Seen(messages=iter(["Ada", "Ada"]))
    parts.conversing(ChatAnswerer(model)).invoke({"question": "Who?", "context": ["Ada wrote it.", "In 1843."]})
    trust = Supervisor(lambda asked, answer: 0.0, threshold=0.5)
    chat = TwoSupervisorChatModel(local=lambda _: "x", local_supervisor=trust, remote=model, remote_supervisor=trust)
    chat.invoke([SystemMessage("Ada wrote it.\n\nIn 1843."), HumanMessage("Who?")])
    assert model.seen == [["system: Ada wrote it.\n\nIn 1843.", "human: Who?"]] * 2
    reader = ExtractiveReader()
    assert parts.conversing(reader) is reader


def test_a_calibration_covers_conversations_or_the_server_does_not_start(calibrated, tmp_path) -> None:
    remote = {"remote": "openai:gpt-4.1-mini", "calibration": calibrated()[1]}
    with pytest.raises(ConfigurationError, match=r"routes\.docs: .*/v1/answer .* promises nothing of .*/completions"):
        Service({"docs": made(**remote)}, ServerTable())
    with pytest.raises(CalibrationMismatchError, match="prompt='the default' of the remote model, not "):
        made(**remote, chat="conversation")
    asked = made(**remote, chat="question")
    assert (asked.chat.remote is asked.chain.remote, asked.calls_tools) == (True, False)
    template = settings_of(parts.conversing(ChatAnswerer("openai:x")))["prompt"]
    calibrated(prompt=template)
    found = made(**remote, chat="conversation")
    assert found.chat.remote is found.chain.remote.model
    assert "prompt" in settings_of(found.chain.remote)
    for served in (asked, found, made(calibration=calibrated()[1], local="reader")):
        Service({"docs": served}, ServerTable())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"local": "redaer"}, "local 'redaer' is no local model"),
        ({"local_scorer": "answerabilty"}, "Did you mean 'answerability'"),
        ({"remote_url": "ftp://x"}, "remote-url 'ftp://x' is no address"),
        ({"remote_key": "NOT_SET"}, "set NOT_SET in the environment"),
        ({"fallback": "nowhere:x"}, "nowhere cannot be imported"),
        ({"never_escalate": ({"patern": "x"},)}, "Did you mean 'pattern'"),
    ],
)
def test_a_part_that_cannot_be_made_names_its_route(change, words) -> None:
    with pytest.raises(TwosupError, match=words) as caught:
        made(**{**HOSTED, **change})
    assert str(caught.value).startswith("routes.docs: ")


def test_passages_are_the_system_messages_and_what_tools_found_since_the_question() -> None:
    asked = HumanMessage("Who?")
    told = SystemMessage("You are kind.")
    found = ToolMessage("Ada wrote it.", tool_call_id="1")
    called = AIMessage("", tool_calls=[{"name": "search", "args": {}, "id": "1"}])
    assert passages([told, asked]) == ["You are kind."]
    assert passages([SystemMessage("Ada", name="context"), told, asked]) == ["Ada"]
    assert passages([told, asked, called, found]) == ["You are kind.", "Ada wrote it."]
    assert passages([told, asked, called, found, asked]) == ["You are kind."]
    assert passages([asked]) is None


def test_a_list_price_is_that_of_the_hosted_model_and_a_share_is_followed_in_the_shadow() -> None:
    pytest.importorskip("genai_prices")
    found = made(**HOSTED, price="list", shadow_rate=0.25)
    assert (found.price.input, found.price.output, found.price.currency) == (0.4, 1.6, "USD")
    assert found.shadow is not None
    assert made(**HOSTED).shadow is None
    with pytest.raises(TwosupError, match=r"routes\.docs: no price is known"):
        made(**{**HOSTED, "remote": "openai:of-my-own"}, price="list")
    with pytest.raises(TwosupError, match="no remote to ask in the shadow"):
        made(**TRUST, shadow_rate=0.25)
