"""Quickstart: a local reader answers, a hosted LLM is asked only if it cannot, and "no answer" is an answer.

Runs without a key (the chain then abstains where the reader is unsure):   python examples/01_quickstart.py
With a hosted LLM:   pip install 'twosup-chain[openai]' && OPENAI_API_KEY=… python examples/01_quickstart.py
"""

import os

from twosup_chain import ExtractiveReader, Supervisor, TwoSupervisorChain

PASSAGE = """The Alder Street library opened in 1911 and was designed by Maud Ferris. Members may borrow eight books for
three weeks; reference works stay in the reading room. The roof garden was closed for repairs and reopened in 2019."""

hosted = {}
if os.environ.get("OPENAI_API_KEY"):
    hosted = {
        "remote": "openai:gpt-4o-mini",
        "remote_supervisor": Supervisor("grounded", threshold=0.3),
        "on_remote_error": "no_answer",
    }

chain = TwoSupervisorChain(
    local=ExtractiveReader(),
    local_supervisor=Supervisor("answerability", threshold=0.7),
    **hosted,
)

questions = [
    "Who designed the library?",
    "How many books may a member borrow?",
    "When did the roof garden reopen?",
    "Who paid for the repairs?",
]
for result in chain.batch([{"question": question, "context": PASSAGE} for question in questions]):
    print(f"{result.as_text('(no answer)'):<20} {result.status:<13} {result.source:<7} {result.reason}")
