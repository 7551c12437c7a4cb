"""`features`: everything that is known of one prediction, as named numbers."""

import math

from twosup_chain.schema import Answer, QAInput
from twosup_chain.scoring.aptness import aptness_features
from twosup_chain.scoring.distribution import distribution_features
from twosup_chain.scoring.reading import is_reading, own_features, reading_features
from twosup_chain.scoring.tokens import token_features
from twosup_chain.scoring.wording import wording_features
from twosup_chain.text.agreement import agreement

#: What the local model's own features are called beside those of the hosted answer.
LOCAL = "local_"


def features(question: QAInput, answer: Answer, *, local: Answer | None = None) -> dict[str, float]:
    """Returns the features of a prediction; one that cannot be had, or is not finite, is not there. No model runs.

    This is the one function for features: what it returns is scored live, and is recorded as it is. Of the prediction
    itself come its tokens' (`tokens`), what it says of itself (`reading.own_features`) and, where there is a context,
    those of the words and their place (`wording`, `aptness`; for "no answer" of a reading they are about the span that
    it rejects). Of a hosted prediction there are besides ``agreement`` with the `local` one (two "no answers" agree
    fully), what the local reading makes of it (`reading.reading_features`), and the local prediction's own features,
    ``local_…``. Of a decision there are those of the options' probabilities (`distribution`) in place of those of words
    and their place.
    """
    found = {**token_features(answer), **own_features(answer)}
    if question.options:
        found |= distribution_features(answer, local)
    elif question.context is not None:
        said = answer.candidates[0] if answer.text is None and answer.candidates else answer
        found |= wording_features(question.question, question.passages, said.text)
        if said.text is not None:
            at = None if said.document is None or said.start is None else (said.document, said.start)
            found |= aptness_features(question.question, question.passages, said.text, at)
    if local is not None:
        found["agreement"] = agreement(answer.text, local.text)
        if is_reading(local):
            found |= reading_features(answer, local)
        own = {**token_features(local), **own_features(local), **distribution_features(local, None)}
        found |= {f"{LOCAL}{name}": value for name, value in own.items()}
    return {name: value for name, value in found.items() if math.isfinite(value)}
