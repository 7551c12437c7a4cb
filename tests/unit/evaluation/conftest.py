"""What the tests of evaluation and report share: records written by hand, a calibration, a parser of pages."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest

from twosup_chain.calibration.record import CalibratedSupervisor

VOID = {"meta", "br", "col", "input"}


def entry(number, *, local=(0.9, 1), remote=(0.9, 1), answerable=True, text=True, failed=False, **changes):
    """Returns the fields of a record; a prediction is a trust score and whether it is right."""

    def prediction(score, right, model):
        no_answer = answerable != bool(right)
        found = {
            "no_answer": no_answer,
            "exact_match": float(right),
            "f1": 1.0 if right else 0.25,
            "trust": {"s": score},
            "usage": {"input_tokens": 100, "output_tokens": 10},
            "seconds": 2.0 if model == "remote-1" else 0.5,
            "model": model,
        }
        if text and not no_answer:
            found["text"] = f"said {number}"
        return found

    fields = {
        "version": 1,
        "id": f"q{number}",
        "digest": f"{number:016x}",
        "answerable": answerable,
        "local": prediction(*local, "local-1"),
        "remote": prediction(*remote, "remote-1"),
    }
    if failed:
        fields["remote"] = {"error": "TimeoutError"}
    if text:
        fields |= {"question": f"Who {number}?", "answers": [f"Ada {number}"] if answerable else []}
    for name, value in changes.items():
        role, _, field = name.partition("__")
        target, key = (fields[role], field) if field else (fields, role)
        target[key] = value
        if value is ...:
            del target[key]
    return fields


#: One question of every kind: kept and right, kept and wrong, escalated and so on; two have no answer.
KINDS = [
    entry(0, local=(0.9, 1), remote=(0.1, 0)),
    entry(1, local=(0.8, 0), remote=(0.9, 1)),
    entry(2, local=(0.4, 0), remote=(0.7, 1)),
    entry(3, local=(0.3, 1), remote=(0.6, 0)),
    entry(4, local=(0.2, 0), remote=(0.2, 1)),
    entry(5, local=(0.1, 0), remote=(0.1, 0)),
    entry(6, local=(0.7, 1), remote=(0.9, 0), answerable=False),
    entry(7, local=(0.2, 0), remote=(0.3, 0), answerable=False),
]


@pytest.fixture
def write(tmp_path):
    def write(entries, name="records.jsonl"):
        path = tmp_path / name
        path.write_text("".join(json.dumps(fields) + "\n" for fields in entries))
        return path

    return write


@pytest.fixture
def supervisors():
    """Returns a function that makes both supervisors' settings of two thresholds."""

    def supervisors(local=0.5, remote=0.5):
        return {
            "local_supervisor": CalibratedSupervisor(scorer="s", threshold=local),
            "remote_supervisor": CalibratedSupervisor(scorer="s", threshold=remote),
        }

    return supervisors


class Page(HTMLParser):
    """A parsed page: its tags, its attributes, its words; a tag that does not fit is an error."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.words, self._open = [], [], [], []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if self._open and self._open[-1] not in {"style", "script"}:
            self.words.append(data)

    @property
    def text(self):
        return " ".join("".join(self.words).replace("\N{NO-BREAK SPACE}", " ").split())


@pytest.fixture
def parse():
    return Page
