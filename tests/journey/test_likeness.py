"""Screens are compared as people would: words exactly, scores and percentages nearly, times not at all."""

from __future__ import annotations

import pytest
from journey.likeness import differences


@pytest.mark.parametrize(
    ("kept", "seen"),
    [
        ("Cost  2.8 s", "Cost  314 ms"),
        ("━━━━┃──  0.944 ≥ 0.876  trusted", "━━━┃───  0.951 ≥ 0.880  trusted"),
        ("risk  3.3 %  0.1 – 17.2", "risk  6.7\N{NO-BREAK SPACE}%  0.8 – 22.1"),
        ("in 5\n  min 32 s (73 %) of it", "in 2 min 05 s (70 %) of it"),
        ("reader@9ae3ab339b2e at http://127.0.0.1:80/v1", "reader@5288d1f24ca0 at http://127.0.0.1:8123/v1"),
    ],
)
def test_what_differs_by_machine_is_alike(kept, seen):
    assert differences(kept, seen) == []


@pytest.mark.parametrize(
    ("kept", "seen"),
    [
        ("0.944 ≥ 0.876 trusted", "0.944 ≥ 0.876 not trusted"),
        ("0.944 ≥ 0.876", "0.844 ≥ 0.876"),
        ("45 of 45 questions", "44 of 45 questions"),
        ("risk 3.3 %", "risk 13.3 %"),
        ("Enid Cole", "Amos Fenner"),
    ],
)
def test_what_a_reader_would_notice_is_not(kept, seen):
    assert differences(kept, seen)
