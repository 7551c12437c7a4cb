"""A small classifier, fitted on texts that were written for the purpose."""

from __future__ import annotations

from itertools import product

import pytest

pytest.importorskip("langchain_core.decisions", reason="langchain-core before 1.8 has no decision models")

from twosup_chain import TextClassifier, fit_classifier
from twosup_chain.text.questions import LabelledQuestion

_WRITTEN = {
    "refund": (
        "I want my money back for {}",
        "please refund {}",
        "{} never came, return what I paid",
        "refund for {}?",
    ),
    "login": ("I cannot sign in {}", "my password is refused {}", "the account is locked {}", "login fails {}"),
    "praise": ("thank you, {} is lovely", "I really like {}", "great work with {}", "{} made my day"),
}
_THINGS = {
    "refund": ("the lamp", "order 1812", "two chairs", "the blue coat", "my ticket"),
    "login": ("since Monday", "on my phone", "after the update", "from abroad", "with the new key"),
    "praise": ("the lamp", "your shop", "the blue coat", "the new page", "your help"),
}
OUTSIDE = (
    "what is the capital of Chad",
    "play some jazz",
    "how tall is Everest",
    "tell me a joke",
    "will it rain today",
)


def decisions(*, outside: bool = False):
    """Sixty labelled texts, and five that no label fits."""
    found = []
    for label, forms in _WRITTEN.items():
        for form, thing in product(forms, _THINGS[label]):
            found.append((form.format(thing), label))
    found += [(text, None) for text in OUTSIDE] if outside else []
    return [
        LabelledQuestion(
            id=str(at),
            question="What is it about?",
            context=text,
            answers=() if label is None else (label,),
            is_impossible=label is None,
        )
        for at, (text, label) in enumerate(found)
    ]


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """A classifier of three labels that knows texts out of scope."""
    out = tmp_path_factory.mktemp("classifier") / "inbox"
    fit_classifier(decisions(outside=True), out, name="inbox", num_threads=1)
    return out


@pytest.fixture(scope="session")
def classifier(folder):
    return TextClassifier(model=str(folder), num_threads=1)
