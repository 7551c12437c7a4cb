"""What early rejection saves, and how long an accepted local answer takes to appear, on a real model in process.

Every question is put twice to the same model: once the draft is written to its end, once it is stopped as soon as it
can no longer be trusted. Tokens are counted, so the share that is saved does not depend on the machine; seconds do.

    python tests/benchmarks/early_rejection.py MODEL.gguf [--threshold 0.3] [--max-tokens 48] [--questions 40]
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from langchain_core.messages import HumanMessage, SystemMessage
from scipy.stats import bootstrap

from twosup_chain import LlamaCppChat, Supervisor, TwoSupervisorChatModel

QUESTIONS = (
    "What is the capital of Norway?",
    "Who painted the ceiling of the Sistine Chapel?",
    "Which planet is the largest of the solar system?",
    "Why does bread dough rise?",
    "What is the boiling point of ethanol?",
    "Who was the third person to walk on the Moon?",
    "How does a suspension bridge carry its load?",
    "Which river flows through Budapest?",
    "What does the German word 'Feierabend' mean?",
    "In which year did the Berlin Wall fall?",
    "What is a semaphore in computing?",
    "Who wrote the novel 'Middlemarch'?",
    "How many bones does an adult human have?",
    "What is the currency of Mongolia?",
    "Why is the sea salty?",
    "What is the population of Luxembourg?",
    "Which metal is liquid at room temperature?",
    "What is the difference between a list and a tuple in Python?",
    "Who composed the opera 'Jenufa'?",
    "What is the highest mountain of Africa?",
    "How do bees find their way home?",
    "What does HTTP status 418 mean?",
    "Which language is spoken in Suriname?",
    "What was the name of Alexander the Great's horse?",
    "How is parchment made?",
    "What is the square root of 1369?",
    "Which vitamin does sunlight help the body to make?",
    "Who invented the Jacquard loom?",
    "What is the deepest lake of the world?",
    "What causes the northern lights?",
    "In which city is the Rijksmuseum?",
    "What is a contrapuntal melody?",
    "How many moons does Mars have?",
    "What is the chemical symbol of tungsten?",
    "Who was the first king of Norway?",
    "Why do cats purr?",
    "What is the national flower of Nepal?",
    "What does 'git rebase' do?",
    "Which treaty ended the Thirty Years' War?",
    "How long does light take from the Sun to the Earth?",
)

Figures = tuple[float, float, float]


def main() -> None:
    """Asks the questions and prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--threshold", type=float, default=0.3)
    parser.add_argument("--max-tokens", type=int, default=48)
    parser.add_argument("--questions", type=int, default=len(QUESTIONS))
    options = parser.parse_args()
    local = LlamaCppChat(model_path=options.model, n_ctx=512, n_threads=1, max_tokens=options.max_tokens)
    supervisor = Supervisor("min_token_probability", threshold=options.threshold)
    whole = TwoSupervisorChatModel(local=local, local_supervisor=supervisor, early_rejection=False)
    early = TwoSupervisorChatModel(local=local, local_supervisor=supervisor)
    local.invoke("Hello", max_tokens=1)  # loads the model
    shares, firsts, waits = [], [], []
    tokens_whole = tokens_early = 0
    for question in QUESTIONS[: options.questions]:
        messages = [SystemMessage("Answer in one short sentence."), HumanMessage(question)]
        complete = whole.invoke(messages).response_metadata["twosup"]
        started, first, decision = time.perf_counter(), None, {}
        for chunk in early.stream(messages):
            first = time.perf_counter() - started if first is None and chunk.content else first
            decision = chunk.response_metadata.get("twosup", decision)
        all_tokens = complete["usage"]["local"]["output_tokens"]
        generated = decision["usage"]["local"]["output_tokens"]
        assert decision["verdicts"]["local"]["trusted"] == complete["verdicts"]["local"]["trusted"], question
        if decision["stopped_early"]:
            shares.append(generated / all_tokens)
            tokens_whole, tokens_early = tokens_whole + all_tokens, tokens_early + generated
            waits.append(decision["seconds"] / complete["seconds"])
        else:
            firsts.append(first)
        print(f"{generated:3d} of {all_tokens:3d} tokens, {decision['source']:5s} {question}", flush=True)
    print(f"model {options.model.name}, threshold {options.threshold}, max_tokens {options.max_tokens}")
    print(f"questions {options.questions}: rejected {len(shares)}, accepted {len(firsts)}")
    print("share of the draft generated before an early rejection, median:", interval(shares))
    print(f"tokens of rejected drafts: {tokens_early} instead of {tokens_whole}")
    print("time of a rejected draft, as a share of the whole draft's, median:", interval(waits))
    print("seconds to the first token of an accepted answer, median:", interval(firsts))


def interval(values: list[float]) -> str:
    """Returns the median with its 95 % bootstrap interval."""
    if len(values) < 2:
        return f"n = {len(values)}"
    found = bootstrap((values,), np.median, method="percentile", rng=np.random.default_rng(0)).confidence_interval
    return f"{np.median(values):.3f} (95 % interval {found.low:.3f} to {found.high:.3f}, n = {len(values)})"


if __name__ == "__main__":
    main()
