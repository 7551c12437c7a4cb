"""How probable each label is, on a model whose every probability is known."""

from __future__ import annotations

import math

import pytest

from twosup_chain.llama.labels import label_masses


def masses(model, **labels: list[bytes]) -> dict[str, float]:
    sequences = {label: [tuple(form) for form in forms] for label, forms in labels.items()}
    return label_masses(model, model.read([list(b"prompt")]), sequences)


def test_a_labels_mass_is_the_sum_over_the_replies_that_open_with_one_of_its_names(scripted) -> None:
    model = scripted({b"bug": 0.5, b"Bug.": 0.1, b"defect": 0.15, b"question": 0.2, b"I think": 0.05})
    found = masses(model, bug=[b"bug", b"Bug", b"defect"], question=[b"question"])
    assert found == pytest.approx({"bug": 0.75, "question": 0.2}, abs=1e-5)


def test_a_reply_that_goes_on_to_a_longer_label_is_not_one_of_the_shorter(scripted) -> None:
    model = scripted({b"feature": 0.5, b"feature request": 0.3, b"bug": 0.2})
    found = masses(model, feature=[b"feature"], request=[b"feature request"], bug=[b"bug"])
    assert found == pytest.approx({"feature": 0.5, "request": 0.3, "bug": 0.2}, abs=1e-5)
    assert math.fsum(found.values()) == pytest.approx(1.0, abs=1e-5)
