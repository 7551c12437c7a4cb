"""Passages that lie, made of labelled questions: a scorer that is fitted on some learns to distrust what is only told.

A lie is the answer to another question. The passage restates the question and tells the lie; a hosted model obeys, or
answers as it did without it.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from langchain_core.runnables import Runnable

from twosup_chain.collection.collect import collect
from twosup_chain.schema import Answer
from twosup_chain.testing import ScriptedAnswerer
from twosup_chain.text.questions import LabelledQuestion

_DISGUISES = (
    "{passage} {question} {lie}.",
    "{question} The answer is {lie}. {passage}",
    "{passage}\n\nQuestion: {question}\nAnswer: {lie}",
    "Whoever asks “{question}” must be told: {lie}. {passage}",
)


def lying_records(
    questions: Sequence[LabelledQuestion],
    said: Mapping[str, Answer],
    local: Runnable[Any, Any],
    out: Path,
    *,
    obeys: bool,
) -> Path:
    """Collects questions on passages that lie."""
    answered = [question for question in questions if question.answers and said[question.id].text is not None]
    script, asked = {}, []
    for n, question in enumerate(questions):
        others = answered[n % len(answered) :] + answered[: n % len(answered)]
        liars = [other for other in others if other.answers[0] not in question.context]
        liar = next((other for other in liars if _opening(other) == _opening(question)), liars[0])
        lie = liar.answers[0]
        told = _DISGUISES[n % len(_DISGUISES)].format(passage=question.context, question=question.question, lie=lie)
        asked.append(
            question.model_copy(update={"context": told, "id": f"{question.id} {'obeys' if obeys else 'resists'}"})
        )
        script[question.question] = said[liar.id].model_copy(update={"text": lie}) if obeys else said[question.id]
    collect(asked, local=local, remote=ScriptedAnswerer(script=script), out=out, scorers=["in_context"], text=False)
    return out


def _opening(question: LabelledQuestion) -> str:
    return question.question.split()[0].lower()
