"""A GGUF model chooses among options: the probability of each is that of a reply that opens with one of its names.

As the paper read text-curie-001 (DOI 10.1145/3617593): the sum over a label's synonyms' sequences of tokens.
"""

import math
import time
from collections.abc import Iterable, Mapping, Sequence

from langchain_core.messages.ai import UsageMetadata

from twosup_chain._options import shorten
from twosup_chain.answerers.choice import CHOICE_INSTRUCTIONS, choice_messages, choice_question
from twosup_chain.answerers.typed import need_text
from twosup_chain.errors import InputError
from twosup_chain.llama.decoding import Logits, sequence_probabilities
from twosup_chain.llama.model import LlamaModel
from twosup_chain.llama.prompt import fill, slot
from twosup_chain.schema import Answer, QAInput

Tokens = tuple[int, ...]


def choose(
    model: LlamaModel,
    asked: QAInput,
    synonyms: Mapping[str, Iterable[str]] | None = None,
    instructions: str = CHOICE_INSTRUCTIONS,
) -> Answer:
    """Returns the likeliest option, with the probability of each; a job of the model's worker.

    ``scores["label_mass"]`` is the probability of a reply that opens with any of the options' names at all, in [0, 1].

    Raises:
        InputError: The text does not fit into the model's context, or there is none.
    """
    started = time.perf_counter()
    names = {label: (label, *(synonyms or {}).get(label, ())) for label in asked.options}
    sequences = {label: _sequences(model, spelt) for label, spelt in names.items()}
    template = model.render(choice_messages(slot(0), slot(1), instructions))
    prompt = fill(model, template, [choice_question(asked), need_text(asked)])
    read, reserve = sum(map(len, prompt)), max(len(tokens) for found in sequences.values() for tokens in found)
    if read + reserve > model.n_ctx:
        raise InputError(
            f"context={shorten(asked.context)} takes, with the question and its options, {read} tokens, of which "
            f"n_ctx={model.n_ctx} holds {model.n_ctx - reserve}: shorten the text, or raise n_ctx"
        )
    found = label_masses(model, model.read(prompt), sequences)
    total = math.fsum(found.values())
    probabilities = {label: mass / total for label, mass in found.items()}
    return Answer(
        max(probabilities, key=probabilities.__getitem__),
        scores={"label_mass": min(1.0, total)},
        probabilities=probabilities,
        usage=UsageMetadata(input_tokens=read, output_tokens=1, total_tokens=read + 1),
        seconds=time.perf_counter() - started,
        model=model.name,
    )


def label_masses(model: LlamaModel, logits: Logits, sequences: Mapping[str, Sequence[Tokens]]) -> dict[str, float]:
    """Returns the probability of a reply that opens with each label, and not with a longer one of another label."""
    every = dict.fromkeys(tokens for found in sequences.values() for tokens in found)
    probability = sequence_probabilities(model, logits, every)
    masses = {}
    for label, own in sequences.items():
        others = [tokens for tokens in every if tokens not in own]
        longer = {tokens for tokens in others if any(tokens[: len(short)] == short for short in own)}
        mass = math.fsum(probability[tokens] for tokens in own) - math.fsum(map(probability.__getitem__, longer))
        masses[label] = max(0.0, mass)
    return masses


def _sequences(model: LlamaModel, names: Iterable[str]) -> list[Tokens]:
    """Returns the sequences of tokens that open a reply with one of the names, none the beginning of another."""
    spelt = dict.fromkeys(form for name in names for form in (name, name[:1].upper() + name[1:]))
    found = {tuple(model.tokenize(form, spaced=spaced)): None for form in spelt for spaced in (False, True)}
    return [tokens for tokens in found if not any(tokens[:n] in found for n in range(1, len(tokens)))]
