"""A support inbox: a small classifier routes what it is sure of, and what nobody can be trusted with goes to a person.

    python examples/11_support_inbox.py
    python examples/11_support_inbox.py http://127.0.0.1:8000/v1

With the address of an OpenAI-compatible server its model is asked before a person is. The classifier is fitted here, on
the 72 labelled messages of `inbox.jsonl`; messages whose label is null teach it what is nobody's business.
"""

import sys
import tempfile
from pathlib import Path

from langchain_core.decisions import Choice

from twosup_chain import Supervisor, TextClassifier, TwoSupervisorDecisionModel, fit_classifier, load_decisions

TEAM = Choice(
    instructions="Which team should handle this message?",
    criteria={
        "account": "Logins, passwords, profiles and members.",
        "billing": "Payments, invoices and refunds.",
        "sales": "Plans, prices and offers, before anything is bought.",
        "technical": "Errors and crashes: something does not work.",
    },
)
MESSAGES = (
    "I was charged twice and want a refund.",
    "The app crashes when I export a file.",
    "I cannot log in, the reset mail does not arrive.",
    "Can we get a quote for thirty seats?",
    "It does not work.",
    "Would you sponsor our village fair?",
)

hosted = {}
if len(sys.argv) > 1:
    from langchain_openai import ChatOpenAI

    options = {"temperature": 0, "logprobs": True, "top_logprobs": 5, "extra_body": {"max_tokens": 6}}
    hosted = {
        "remote": ChatOpenAI(model="hosted", base_url=sys.argv[1], api_key="none", **options),
        "remote_supervisor": Supervisor("max_softmax", threshold=0.7, missing=0.0),
        "on_remote_error": "no_answer",  # a reply that is no label is no decision
    }

with tempfile.TemporaryDirectory() as folder:
    fit_classifier(load_decisions(Path(__file__).with_name("inbox.jsonl")), Path(folder) / "inbox")
    triage = TwoSupervisorDecisionModel(
        local=TextClassifier(model=str(Path(folder) / "inbox")),
        local_supervisor=Supervisor("max_softmax", threshold=0.6),
        undecided="a person",
        **hosted,
    )
    for message in MESSAGES:
        response = triage.invoke({"state": message, "questions": {"team": TEAM}})
        print(f"{response.choices['team'].choice:<10} {message}  ({response.results['team'].reason})")
