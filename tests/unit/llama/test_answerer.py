"""`LlamaCppAnswerer` on a model whose every probability is known: options, prompts, windows, scores, errors."""

from __future__ import annotations

import math
import pickle
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from langchain_core.documents import Document
from langchain_core.runnables import ConfigurableField

from twosup_chain import Answer, LlamaCppAnswerer, QAInput
from twosup_chain.answerers.prompt import EXAMPLES, INSTRUCTIONS, PromptExample
from twosup_chain.errors import (
    ConfigurationError,
    EmptyAnswerError,
    InputError,
    MissingExtraError,
    ModelFileError,
    UnknownOptionError,
)
from twosup_chain.llama import model as _llama_model
from twosup_chain.scoring.registry import SCORERS

if TYPE_CHECKING:
    from collections.abc import Callable

PARIS = {b"Paris": 0.7, b"unanswerable": 0.1, b"Unanswerable.": 0.05, b"Lyon": 0.15}
UNANSWERABLE = {b"unanswerable": 0.8, b"Paris": 0.2}


@pytest.fixture
def answerer(scripted) -> Callable[..., LlamaCppAnswerer]:
    """Returns a function that makes an answerer around a scripted model."""

    def make(script: object, **options: object) -> LlamaCppAnswerer:
        engine = scripted(script, n_ctx=options.pop("n_ctx", 4096))
        options.setdefault("max_tokens", 20)
        return LlamaCppAnswerer(model_path=engine.path, engine=engine, n_ctx=engine.n_ctx, **options)

    return make


# -- what is answered --------------------------------------------------------------------------------------------------


def test_an_answer_carries_text_scores_log_probabilities_usage_time_and_model(answerer) -> None:
    local = answerer(PARIS)
    answer = local.invoke({"question": "Where?", "context": "In Paris."})
    assert answer.text == "Paris"
    assert answer.model == "scripted"
    assert answer.seconds > 0
    assert [token.token for token in answer.token_logprobs] == [*"Paris", "<|end|>"]
    assert sum(token.logprob for token in answer.token_logprobs) == pytest.approx(math.log(0.7), abs=1e-5)
    prompt = sum(map(len, local.engine.prompts[0]))
    assert answer.usage == {"input_tokens": prompt, "output_tokens": 6, "total_tokens": prompt + 6}


def test_the_unanswerable_probability_is_the_mass_of_all_ways_to_write_it(answerer) -> None:
    answer = answerer(PARIS).invoke({"question": "Where?", "context": "In Paris."})
    assert answer.scores["unanswerable_probability"] == pytest.approx(0.15, abs=1e-5)
    assert answer.scores["answerability"] == pytest.approx(0.85, abs=1e-5)
    assert answer.scores["windows"] == 1


def test_the_reply_unanswerable_is_no_answer_with_its_evidence(answerer) -> None:
    answer = answerer(UNANSWERABLE).invoke({"question": "Where?", "context": "In Rome."})
    assert answer.text is None
    assert answer.scores["unanswerable_probability"] == pytest.approx(0.8, abs=1e-5)
    assert "".join(token.token for token in answer.token_logprobs) == "unanswerable<|end|>"


def test_a_reply_without_text_is_an_error(answerer) -> None:
    with pytest.raises(EmptyAnswerError):
        answerer({b" ": 0.9, b"x": 0.1}).invoke({"question": "Where?", "context": "In Paris."})


@pytest.mark.parametrize("context", [[], "", "  \n", ["", " "], [Document(page_content="")]])
def test_an_empty_context_holds_no_answer_and_the_model_is_not_asked(answerer, context: object) -> None:
    local = answerer(PARIS)
    answer = local.invoke({"question": "Where?", "context": context})
    assert answer.text is None
    assert answer.scores == {"unanswerable_probability": 1.0, "answerability": 0.0, "windows": 0.0}
    assert answer.usage["total_tokens"] == 0
    assert local.engine.prompts == []


@pytest.mark.parametrize("scorer", ["min_token_probability", "mean_token_probability", "answerability"])
def test_no_answer_to_an_empty_context_is_certain_for_every_scorer(answerer, scorer: str) -> None:
    answer = answerer(PARIS).invoke({"question": "Where?", "context": []})
    assert SCORERS[scorer].function(QAInput(question="Where?", context=[]), answer) == 1.0


def test_without_a_context_the_model_is_asked_what_it_knows(answerer) -> None:
    local = answerer(PARIS)
    assert local.invoke("What is the capital of France?").text == "Paris"
    (prompt,) = local.engine.prompts
    assert "capital of France" in "".join(prompt)
    assert "Passage" not in "".join(prompt)


# -- the prompt --------------------------------------------------------------------------------------------------------


def test_documents_are_joined_in_order_with_blank_lines(answerer) -> None:
    local = answerer(PARIS)
    local.invoke({"question": "Where?", "context": ["In Lyon.", Document(page_content="In Paris.")]})
    assert "In Lyon.\n\nIn Paris." in "".join(local.engine.prompts[0])


def test_the_prompt_comes_in_segments_so_that_a_passage_can_be_remembered(answerer) -> None:
    local = answerer(PARIS)
    for question in ("Where?", "When?"):
        local.invoke({"question": question, "context": "In Paris."})
    (head, passage, tail), (same_head, same_passage, other_tail) = local.engine.prompts
    assert (head, passage) == (same_head, same_passage)
    assert passage.strip() == "In Paris."
    assert "Where?" in tail
    assert "When?" in other_tail


def test_nothing_of_a_question_or_a_context_counts_as_a_special_token(answerer) -> None:
    local = answerer(PARIS)
    local.invoke({"question": "Where? <|a|>", "context": "In Paris. <|b|>"})
    local.invoke({"question": "Where? <|a|>"})
    assert "<|" not in "".join(local.engine.trusted)
    assert "<|b|>" in "".join(local.engine.prompts[0])
    assert all("<|a|>" in "".join(prompt) for prompt in local.engine.prompts)


def test_instructions_and_examples_change_the_whole_prompt(answerer) -> None:
    example = PromptExample(question="Q1", answer="A1", passage="P1")
    local = answerer(PARIS, instructions="Be terse.", examples=[example])
    local.invoke({"question": "Where?", "context": "In Paris."})
    prompt = "".join(local.engine.prompts[0])
    assert "Be terse." in prompt
    assert "A1" in prompt
    assert INSTRUCTIONS not in prompt
    assert EXAMPLES[0].question not in prompt


def test_a_text_that_looks_like_a_place_in_the_prompt_stays_a_text(answerer) -> None:
    local = answerer(PARIS)
    local.invoke({"question": "\ue000passage\ue000?", "context": "\ue000question\ue000"})
    head, passage, tail = local.engine.prompts[0]
    assert "\ue000" not in head
    assert passage.strip() == "\ue000question\ue000"
    assert "\ue000passage\ue000?" in tail


# -- windows -----------------------------------------------------------------------------------------------------------


def _window_options(answerer, room: int, **options: object) -> dict[str, object]:
    """Returns options under which a window holds `room` bytes of the passage, for the question "Where?"."""
    local = answerer(PARIS, instructions="I", examples=(), **options)
    local.invoke({"question": "Where?", "context": "x"})
    fixed = sum(map(len, local.engine.prompts[0])) - len(local.engine.prompts[0][1])
    return {"instructions": "I", "examples": (), "n_ctx": fixed + room + 20, **options}


def test_windows_overlap_and_cover_the_whole_context(answerer) -> None:
    local = answerer(PARIS, **_window_options(answerer, 80))
    passage = "".join(f"{i:04d}" for i in range(60))
    answer = local.invoke({"question": "Where?", "context": passage})
    windows = [prompt[1] for prompt in local.engine.prompts]
    assert answer.scores["windows"] == len(windows) == 4
    assert all(len(window) == 80 for window in windows)
    whole = windows[0]
    for before, window in pairwise(windows):
        shared = max(size for size in range(81) if before.endswith(window[:size]))
        assert shared >= 20
        whole += window[shared:]
    assert whole.strip() == passage
    assert answer.usage["input_tokens"] == sum(len("".join(prompt)) for prompt in local.engine.prompts)
    assert answer.usage["output_tokens"] == 6 * len(windows)


def test_a_context_that_just_fits_takes_one_window_and_one_token_more_takes_two(answerer) -> None:
    local = answerer(PARIS, **_window_options(answerer, 80))
    fits = local.invoke({"question": "Where?", "context": "x" * 79})  # and the space before it
    exceeds = local.invoke({"question": "Where?", "context": "x" * 80})
    assert (fits.scores["windows"], exceeds.scores["windows"]) == (1, 2)


def _by_window(prompt: str) -> dict[bytes, float]:
    if "PARIS" in prompt:
        return {b"Paris": 0.9, b"unanswerable": 0.1}
    if "LYON" in prompt:
        return {b"Lyon": 0.5, b"Nice": 0.2, b"unanswerable": 0.3}
    return {b"unanswerable": 0.95, b"Rome": 0.05}


def test_the_surest_answering_window_answers(answerer) -> None:
    local = answerer(_by_window, **_window_options(answerer, 80))
    answer = local.invoke({"question": "Where?", "context": "LYON" + "." * 200 + "PARIS" + "." * 200})
    assert answer.text == "Paris"
    assert answer.scores["unanswerable_probability"] == pytest.approx(0.1, abs=1e-5)
    assert math.exp(sum(token.logprob for token in answer.token_logprobs)) == pytest.approx(0.9, abs=1e-5)


def test_one_answering_window_outweighs_all_that_decline(answerer) -> None:
    local = answerer(_by_window, **_window_options(answerer, 80))
    answer = local.invoke({"question": "Where?", "context": "." * 300 + "LYON" + "." * 300})
    assert answer.text == "Lyon"
    assert answer.scores["unanswerable_probability"] == pytest.approx(0.3, abs=1e-5)


def test_there_is_no_answer_only_if_no_window_holds_one(answerer) -> None:
    local = answerer(_by_window, **_window_options(answerer, 80))
    answer = local.invoke({"question": "Where?", "context": "." * 500})
    assert answer.text is None
    assert answer.scores["windows"] > 1
    assert answer.scores["unanswerable_probability"] == pytest.approx(0.95, abs=1e-5)


def test_windows_that_give_no_text_are_passed_over(answerer) -> None:
    def script(prompt: str) -> dict[bytes, float]:
        return {b"Paris": 1.0} if "PARIS" in prompt else {b" ": 1.0}

    local = answerer(script, **_window_options(answerer, 80))
    assert local.invoke({"question": "Where?", "context": "." * 200 + "PARIS"}).text == "Paris"
    with pytest.raises(EmptyAnswerError):
        local.invoke({"question": "Where?", "context": "." * 200})


def test_a_context_of_too_many_windows_is_refused_with_the_cure(answerer) -> None:
    local = answerer(PARIS, **_window_options(answerer, 80, max_windows=3))
    with pytest.raises(InputError, match=r"context.*34 windows.*max_windows=3.*retriever"):
        local.invoke({"question": "Where?", "context": "x" * 2000})
    assert local.engine.prompts == []


@pytest.mark.parametrize("context", ["x" * 200, None])
def test_a_question_that_does_not_fit_is_refused_with_the_cure(answerer, context: str | None) -> None:
    local = answerer(PARIS, **_window_options(answerer, 80))
    with pytest.raises(InputError, match=r"question='why.*n_ctx=.*[Ss]horten the question"):
        local.invoke({"question": "why " * 100, "context": context})


# -- many questions ----------------------------------------------------------------------------------------------------


def test_a_batch_answers_in_order_but_asks_passage_by_passage(answerer) -> None:
    local = answerer(lambda prompt: {b"Paris" if "Q1" in prompt else b"Rome": 1.0}, examples=())
    questions = [("Q1", "one"), ("Q2", "two"), ("Q1", "two"), ("Q2", "one")]
    answers = local.batch([{"question": question, "context": context} for question, context in questions])
    assert [answer.text for answer in answers] == ["Paris", "Rome", "Paris", "Rome"]
    assert [prompt[1].strip() for prompt in local.engine.prompts] == ["one", "one", "two", "two"]


def test_an_error_stays_with_its_question(answerer) -> None:
    local = answerer(PARIS, n_ctx=2048)
    good, blank, long = local.batch(
        [{"question": "Where?", "context": "In Paris."}, "", {"question": "why " * 999, "context": "In Paris."}],
        return_exceptions=True,
    )
    assert isinstance(good, Answer)
    assert isinstance(blank, InputError)
    assert isinstance(long, InputError)


def test_a_failure_of_llama_cpp_stays_with_its_question(answerer) -> None:
    def script(prompt: str) -> dict[bytes, float]:
        if "boom" in prompt:
            message = "llama_decode returned -1"
            raise RuntimeError(message)
        return PARIS

    local = answerer(script)
    failed, good = local.batch(["boom?", "Where?"], return_exceptions=True)
    assert isinstance(failed, RuntimeError)
    assert good.text == "Paris"


# -- options -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def package_is_there(monkeypatch) -> None:
    """Checks of the file come before the package is used, so they need none."""
    monkeypatch.setattr(_llama_model, "find_spec", lambda _: object())


@pytest.mark.usefixtures("package_is_there")
def test_a_model_file_that_is_missing_is_named_at_once(tmp_path) -> None:
    with pytest.raises(ModelFileError, match=r"model_path='.*absent\.gguf' does not exist"):
        LlamaCppAnswerer(model_path=tmp_path / "absent.gguf")


@pytest.mark.usefixtures("package_is_there")
def test_a_folder_is_no_model_file(tmp_path) -> None:
    with pytest.raises(ModelFileError, match="is a directory"):
        LlamaCppAnswerer(model_path=tmp_path)


@pytest.mark.usefixtures("package_is_there")
def test_a_file_that_is_no_gguf_is_named_at_once(tmp_path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(b"\x80\x02pickle")
    with pytest.raises(ModelFileError, match=r"model\.bin' is no GGUF file"):
        LlamaCppAnswerer(model_path=str(path))


def test_a_missing_package_is_said_with_the_command_that_installs_it(gguf_path, monkeypatch) -> None:
    monkeypatch.setattr(_llama_model, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"LlamaCppAnswerer needs llama-cpp-python: pip install"):
        LlamaCppAnswerer(model_path=gguf_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_ctx", 10),
        ("n_batch", 0),
        ("n_threads", 0),
        ("n_gpu_layers", -2),
        ("max_tokens", 0),
        ("temperature", -1.0),
        ("temperature", float("nan")),
        ("temperature", float("inf")),
        ("seed", -1),
        ("max_windows", 0),
        ("instructions", 3),
        ("examples", ["not an example"]),
    ],
)
def test_a_bad_option_is_refused_by_name(gguf_path, name: str, value: object) -> None:
    with pytest.raises(ConfigurationError, match=name):
        LlamaCppAnswerer(model_path=gguf_path, **{name: value})


def test_a_misspelt_option_lists_the_good_ones(gguf_path) -> None:
    with pytest.raises(UnknownOptionError, match="max_tokens"):
        LlamaCppAnswerer(model_path=gguf_path, max_token=3)


def test_options_of_a_reply_can_be_configured_a_call_and_keep_the_loaded_model(answerer) -> None:
    local = answerer(PARIS)
    configurable = local.configurable_fields(max_tokens=ConfigurableField(id="length"))
    answer = configurable.invoke({"question": "Where?", "context": "x"}, {"configurable": {"length": 2}})
    assert answer.text == "Pa"
    assert len(local.engine.prompts) == 1


def test_another_context_size_makes_another_model(answerer) -> None:
    local = answerer(PARIS)
    other = LlamaCppAnswerer(model_path=local.model_path, engine=local.engine, n_ctx=512)
    assert other.engine is not local.engine
    assert other.engine.options["n_ctx"] == 512


def test_an_answerer_and_its_options_survive_pickling(gguf_path, scripted) -> None:
    local = pickle.loads(pickle.dumps(LlamaCppAnswerer(model_path=gguf_path, n_ctx=512, instructions="Be terse.")))  # noqa: S301
    assert local.instructions == "Be terse."
    assert local.engine.options["n_ctx"] == 512
