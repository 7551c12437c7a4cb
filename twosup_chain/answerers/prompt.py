"""The prompt that language models are asked with, local or hosted, and how their reply is read.

Everything of it can be edited: the instructions are one text, the examples are records.
"""

import re
from collections.abc import Sequence

from twosup_chain._options import Record, shorten
from twosup_chain.answerers.no_answer import NO_ANSWER, says_no_answer
from twosup_chain.errors import EmptyAnswerError


class PromptExample(Record):
    """One worked example of the prompt.

    Args:
        question: The question.
        answer: The reply that the model should give; ``None`` for "unanswerable".
        passage: The passage; ``None`` for an example of a question that comes without one.
    """

    question: str
    answer: str | None
    passage: str | None = None


#: The former name of `PromptExample`.
Example = PromptExample

#: What the model is told; `NO_ANSWER` is the reply it is offered when there is no answer.
INSTRUCTIONS = (
    "Answer the question with a short phrase copied from the passage: a name, a date, a number or a few words, "
    f'without explanation. If the passage does not hold the answer, reply with the single word "{NO_ANSWER}". '
    f'Where no passage is given, answer from what you know, or reply "{NO_ANSWER}" if you do not know.'
)

_TOWER = (
    "The lighthouse of Skerry Point was finished in 1874 after six years of work. It was designed by Ellen Marsh, "
    "whose brother Tom had drowned off the point, and was lit by paraffin until 1931, when the Harbour Board paid for "
    "electric light. Its last keeper left in 1988."
)

#: Worked examples, with and without a passage, with and without an answer.
EXAMPLES: tuple[PromptExample, ...] = (
    PromptExample(question="Who designed the lighthouse?", answer="Ellen Marsh", passage=_TOWER),
    PromptExample(question="How tall is the lighthouse?", answer=None, passage=_TOWER),
    PromptExample(question="What is the capital of France?", answer="Paris"),
    PromptExample(question="What did the caller have for breakfast today?", answer=None),
)


def qa_messages(
    question: str,
    passages: Sequence[str] | None,
    instructions: str = INSTRUCTIONS,
    examples: Sequence[PromptExample] = EXAMPLES,
) -> list[dict[str, str]]:
    """Returns the conversation that asks a question, as ``{"role": …, "content": …}`` messages.

    The passage stands before the question, and what changes least stands first, so that a model that remembers what it
    has read need not read it again.

    Args:
        question: The question.
        passages: The texts that the answer must come from, joined by blank lines in this order; ``None`` asks without
            a passage.
        instructions: The text of the system message; an empty one is left out.
        examples: Worked examples; those of the same kind as the question (with a passage, or without) are shown.

    Returns:
        A system message, a user and an assistant message for each example shown, and the user message that asks.
    """
    messages = [{"role": "system", "content": instructions}] if instructions else []
    for example in examples:
        if (example.passage is None) == (passages is None):
            messages.append({"role": "user", "content": _turn(example.question, example.passage)})
            messages.append({"role": "assistant", "content": NO_ANSWER if example.answer is None else example.answer})
    passage = None if passages is None else join_passages(passages)
    messages.append({"role": "user", "content": _turn(question, passage)})
    return messages


def join_passages(passages: Sequence[str]) -> str:
    """Returns the passages of a context as one text, in order, with blank lines between."""
    return "\n\n".join(passages)


def _turn(question: str, passage: str | None) -> str:
    return f"Question: {question}" if passage is None else f"Passage: {passage}\n\nQuestion: {question}"


_SPECIAL = re.compile(r"<\|[^|<>]*\|>|</?s>|<(?:end|start)_of_turn>")
_LABEL = re.compile(r"^(?:the\s+)?(?:short\s+)?answer\s*(?::|is\s*:)\s*", re.IGNORECASE)
_BOLD = re.compile(r"(\*{1,3}|_{2})(?P<inner>[^*_]+)\1")
_PAIRS = {'"': '"', "'": "'", "“": "”", "‘": "’", "«": "»", "„": "“", "`": "`", "[": "]", "(": ")"}
_ABBREVIATION = re.compile(r"(?:\.[^\s\d]*|\b(?:[A-Z]|Inc|Ltd|Co|Corp|Jr|Sr|St|Dr|Mr|Mrs|Bros|etc|al|approx|vol))\.$")


def parse_reply(text: str, passages: Sequence[str] = ()) -> str | None:
    """Returns the answer that a reply holds, or ``None`` where it says that there is none.

    Taken off are end-of-turn marks (``<|im_end|>``), a label (``Answer:``), quotes and brackets around the whole, and a
    last full stop that belongs to no abbreviation. "No answer" is `NO_ANSWER` alone, in a sentence ("The question is
    unanswerable.") or with a reason after it, and the common ways to say the same ("The passage does not mention it."):
    see `no_answer`. An answer that merely contains such a word ("unanswerable questions"), or that the passages hold
    word for word, is an answer.

    Args:
        text: The reply.
        passages: The passages that the answer must come from.

    Raises:
        EmptyAnswerError: The reply holds no text.
    """
    reply = peel(text)
    if not reply:
        raise EmptyAnswerError(f"the model's reply {shorten(text)} holds no text")
    return None if says_no_answer(reply, passages) else reply


def peel(text: str) -> str:
    """Returns the text without marks, label, wrapping quotes and last full stop, whichever way they are nested."""
    while True:
        peeled = _LABEL.sub("", _SPECIAL.sub("", text).strip()).strip()
        bold = _BOLD.fullmatch(peeled)
        if bold:
            peeled = bold["inner"]
        elif len(peeled) > 1 and _PAIRS.get(peeled[0]) == peeled[-1] and not _inside(peeled):
            peeled = peeled[1:-1]
        elif peeled.endswith(".") and not peeled.endswith("..") and not _ABBREVIATION.search(peeled):
            peeled = peeled[:-1]
        if peeled == text:
            return text
        text = peeled


def _inside(text: str) -> bool:
    """Whether the first and the last mark belong to two different pairs, as in ``"a" and "b"``."""
    return text[0] in text[1:-1] or text[-1] in text[1:-1]
