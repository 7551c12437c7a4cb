"""A trust score of your own: any function of the question and the answer that returns a number in [0, 1].

    python examples/07_your_own_scorer.py

This one knows its field: a price must come with a currency, and a date must not lie in the future.
"""

import re
from datetime import UTC, datetime
from functools import partial

from twosup_chain import Answer, ExtractiveReader, QAInput, Supervisor, TwoSupervisorChain
from twosup_chain.scoring.own_scores import answerability


def plausible(question: QAInput, answer: Answer, *, latest_year: int) -> float:
    """Returns the reader's own score, and none at all for an answer that cannot be right."""
    if answer.text is not None:
        asks_a_price = re.search(r"\b(cost|price|pay|fee)\b", question.question, re.IGNORECASE)
        if asks_a_price and not re.search(r"[€$£]|euro|dollar|free", answer.text, re.IGNORECASE):
            return 0.0
        if any(int(year) > latest_year for year in re.findall(r"\b[12]\d{3}\b", answer.text)):
            return 0.0
    return answerability(question, answer)


this_year = datetime.now(tz=UTC).year
chain = TwoSupervisorChain(
    local=ExtractiveReader(),
    local_supervisor=Supervisor(partial(plausible, latest_year=this_year), threshold=0.6),
)

passage = "The crossing costs 14 euros. It has carried tourists since 1987. The new pier is planned for 2140."
for question in (
    "What does the crossing cost?",
    "Since when has it carried tourists?",
    "When is the new pier planned?",
):
    result = chain.invoke({"question": question, "context": passage})
    print(f"{question}  ->  {result.as_text('(no answer)')}  ({result.reason})")
