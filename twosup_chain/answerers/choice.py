"""A question with options to a language model: how it is asked, and which option and probabilities its reply holds.

The paper takes a label's probability for the sum over its synonyms' tokens (text-curie-001, DOI 10.1145/3617593); a
hosted model tells only the likeliest tokens at each place, so here it is the sum over those that go on to a label.
"""

import json
import math
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from twosup_chain._options import shorten
from twosup_chain._plain import plain
from twosup_chain.answerers.prompt import peel
from twosup_chain.errors import EmptyAnswerError, NotTextError
from twosup_chain.schema import QAInput, TokenLogprob

#: What a language model is told.
CHOICE_INSTRUCTIONS = (
    "Read the text and answer the question about it with one of the labels, exactly as it is written, and nothing else."
)
#: What may stand before a label in a reply.
_BEFORE = " \t\r\n\"'`*_([“‘«-"


def choice_question(asked: QAInput) -> str:
    """Returns the question with its options, one a line with its description."""
    lines = [label if about is None else f"{label}: {_told(about)}" for label, about in asked.options.items()]
    return "\n".join([asked.question, "Labels:", *(f"- {line}" for line in lines)])


def choice_messages(question: str, text: str, instructions: str = CHOICE_INSTRUCTIONS) -> list[dict[str, str]]:
    """Returns the conversation that asks for a label; what stays the same from text to text stands first."""
    content = f"{question}\n\nText: {text}\n\nLabel:"
    system = [{"role": "system", "content": instructions}] if instructions else []
    return [*system, {"role": "user", "content": content}]


def read_label(reply: str, options: Collection[str]) -> str:
    """Returns the option that a reply names, alone or as the only one in a sentence; capitals do not matter.

    Raises:
        EmptyAnswerError: The reply holds no text.
        NotTextError: It names none of the options, or several.
    """
    said = peel(reply).casefold()
    if not said:
        raise EmptyAnswerError(f"the model's reply {shorten(reply)} holds no text")
    for label in options:
        if peel(label).casefold() == said:
            return label
    named = [label for label in options if re.search(rf"(?<!\w){re.escape(label.casefold())}(?!\w)", said)]
    longest = [label for label in named if not any(label != other and label in other for other in named)]
    if len(longest) == 1:
        return longest[0]
    what = "none" if not longest else "more than one"
    raise NotTextError(f"the reply {shorten(reply)} names {what} of the options {shorten(list(options), 200)}")


def label_probabilities(
    tokens: Sequence[TokenLogprob], chosen: str, options: Mapping[str, Any] | Collection[str]
) -> dict[str, float]:
    """Returns the probability of every option, in sum 1; empty where the tokens do not begin with the one chosen.

    At each place up to where the chosen label is the only one left, the likeliest other tokens count for the labels
    that they begin. What is left over is divided among the labels that none of them begins.
    """
    keys = {label: label.casefold() for label in options}
    found: dict[str, float] = dict.fromkeys(options, 0.0)
    written, so_far = "", 1.0
    for token in tokens:
        if token.token is None:
            return {}
        text = written + token.token.casefold()
        if not (path := text.lstrip(_BEFORE)):
            written = text
            continue
        for other, logprob in token.top:
            branch = (written + other.casefold()).lstrip(_BEFORE)
            if other == token.token or not branch:
                continue
            begun = [label for label, key in keys.items() if key.startswith(branch) or branch == f"{key}\n"]
            for label in begun:
                found[label] += so_far * math.exp(min(logprob, 0.0)) / len(begun)
        written, so_far = text, so_far * math.exp(token.logprob)
        left = [label for label, key in keys.items() if key.startswith(path)]
        if left == [chosen] or (not left and path.startswith(keys[chosen])):
            break
        if not left:
            return {}
    if not written.lstrip(_BEFORE):
        return {}
    found[chosen] += so_far
    return _whole(found)


def _whole(found: dict[str, float]) -> dict[str, float]:
    """Returns the shares of labels as probabilities: the labels without one have in equal parts what is left over."""
    total = math.fsum(found.values())
    unknown = [label for label, p in found.items() if p == 0.0]
    if unknown and total < 1.0:
        return found | dict.fromkeys(unknown, (1.0 - total) / len(unknown))
    return {label: p / total for label, p in found.items()}


def _told(about: object) -> str:
    return about if isinstance(about, str) else json.dumps(plain(about), ensure_ascii=False)
