"""How the demo's report looks: telling questions, the figures, and that the remote model is a recording."""

from __future__ import annotations

import pytest
from printed import squeezed, text_of
from rich.cells import cell_len

from twosup_chain.calibration.record import CalibratedSupervisor
from twosup_chain.cli.render_report import KINDS, ShareBar, render_report, telling_questions
from twosup_chain.demo.recording import Header
from twosup_chain.demo.run import (
    DemoQuestion,
    DemoReport,
    DemoSummary,
    DemoThresholds,
    Saving,
    Score,
)
from twosup_chain.schema import Verdict

CONTEXT = "Ada [b]Lovelace[/b] wrote the first program in 1843."


def verdict(trusted, scorer="answerability"):
    return Verdict(score=0.9 if trusted else 0.2, threshold=0.5, trusted=trusted, scorer=scorer)


def question(id, source, answer, golds, *, remote=None, status="answered", title="Ada", right=True):
    return DemoQuestion(
        id=id,
        title=title,
        question=f"[{id}]?",
        context=CONTEXT,
        golds=golds,
        source=source,
        status=status,
        answer=answer,
        start=CONTEXT.index(answer) if answer else None,
        end=CONTEXT.index(answer) + len(answer) if answer else None,
        local_answer=answer if source == "local" else None,
        remote_answer=remote,
        local_verdict=verdict(source == "local"),
        remote_verdict=None if source == "local" else verdict(source == "remote", "in_context"),
        reason="",
        exact_match=float(right),
        f1=float(right),
    )


def report(*questions, seconds=(10.0, 4.0)):
    return DemoReport(
        recording=Header(model="Model [q4]", server="a server", recorded="2026-01-31", messages=(), sampling={}),
        thresholds=DemoThresholds(
            local=CalibratedSupervisor(scorer="answerability", threshold=0.6),
            remote=CalibratedSupervisor(scorer="in_context", threshold=0.5),
            fixed_on="1000 questions of the training set",
        ),
        questions=questions,
        summary=DemoSummary(
            questions=144,
            sources={"local": 72, "remote": 36, "none": 36},
            shares={"local": 0.5, "remote": 0.25, "none": 0.25},
            statuses={"answered": 100, "unanswerable": 8, "untrusted": 36},
            remote_calls=72,
            chain=Score(exact_match=0.7512, f1=0.8),
            local_only=Score(exact_match=0.5, f1=0.6),
            remote_only=Score(exact_match=0.4, f1=0.45),
            tokens=Saving(remote_only=40_000, chain=20_000, saved=20_000),
            seconds=Saving(remote_only=seconds[0], chain=seconds[1], saved=seconds[0] - seconds[1]),
            waited=1.5,
        ),
    )


TRUSTED = question("trusted", "local", "1843", ("1843",))
ESCALATED = question("escalated", "remote", "Ada", ("Ada",), remote="Ada")
INVENTED = question("invented", "none", None, (), remote="Babbage", status="untrusted")
KNOWN = question("known", "local", None, (), status="unanswerable")
MISTAKE = question("mistake", "local", "1843", ("Ada",), right=False)
EACH = (MISTAKE, KNOWN, INVENTED, ESCALATED, TRUSTED)


def picks(*questions, count):
    return [question.id for _, question in telling_questions(report(*questions), count)]


def test_one_question_of_every_kind_is_shown_the_most_telling_kind_first():
    assert picks(*EACH, count=len(KINDS)) == ["trusted", "escalated", "invented", "known", "mistake"]


def test_no_more_questions_are_shown_than_asked_for_and_than_there_are():
    assert picks(*EACH, count=2) == ["trusted", "escalated"]
    assert picks(*EACH, count=0) == []
    assert picks(TRUSTED, KNOWN, count=9) == ["trusted", "known"]


def test_a_kind_comes_again_only_after_the_others_and_no_question_twice():
    second = question("second", "local", "1843", ("1843",))
    assert picks(TRUSTED, second, KNOWN, count=9) == ["trusted", "known", "second"]


def test_a_passage_that_was_not_shown_yet_is_preferred():
    other = question("other", "remote", "Ada", ("Ada",), remote="Ada", title="Another")
    assert picks(TRUSTED, ESCALATED, other, count=2) == ["trusted", "other"]


@pytest.mark.parametrize(
    ("question", "mark"),
    [
        (TRUSTED, "1843 right: the label is “1843”"),
        (KNOWN, "No answer. right: the passage does not say"),
        (MISTAKE, "1843 wrong: the label is “Ada”"),
        (question("late", "local", None, ("Ada",), status="unanswerable", right=False), "wrong: the label is “Ada”"),
    ],
)
def test_every_question_is_compared_with_its_label(question, mark):
    assert mark in squeezed(text_of(render_report(report(question), show=1)))


def test_the_answer_is_marked_in_its_passage_and_brackets_stay_as_they_are():
    shown = squeezed(text_of(render_report(report(TRUSTED), show=1)))
    assert "[trusted]?" in shown
    assert "Ada [b]Lovelace[/b] wrote the first program in >>1843<<." in shown


def test_a_rejected_invention_is_shown_with_both_verdicts():
    shown = squeezed(text_of(render_report(report(INVENTED), show=1)))
    assert "Remote Babbage" in shown
    assert shown.count("not trusted answerability") + shown.count("not trusted in_context") == 2


def test_it_says_that_the_remote_model_is_a_recording_of_which_model_and_day():
    shown = squeezed(text_of(render_report(report(), show=0)))
    assert "The remote model is a recording of Model [q4] (a server), made on 2026-01-31: nothing is sent" in shown


def test_it_says_on_what_the_thresholds_were_fixed():
    shown = squeezed(text_of(render_report(report(), show=0)))
    assert "Thresholds 0.6 (answerability) and 0.5 (in_context) were fixed on 1000 questions of the training" in shown


def test_the_figures_of_chain_local_only_and_remote_only_stand_side_by_side():
    lines = [squeezed(line) for line in text_of(render_report(report(), show=0)).splitlines()]
    assert "Chain Local only Remote only" in lines
    assert "Exact match (SQuAD v2) 75.1 % 50.0 % 40.0 %" in lines
    assert "F1 (SQuAD v2) 80.0 % 60.0 % 45.0 %" in lines
    assert "Remote model asked 72 0 144" in lines
    assert "Tokens of the remote model 20 000 0 40 000" in lines
    assert "Its time when recorded 4.0 s 0 ms 10.0 s" in lines


def test_what_is_saved_is_said_in_words():
    shown = squeezed(text_of(render_report(report(), show=0)))
    assert "the chain saves 20 000 tokens (50 %) and 6.0 s (60 %) of its time." in shown


def test_what_was_waited_is_said_with_how_many_questions_at_once():
    shown = squeezed(text_of(render_report(report(), show=0)))
    assert "This run was waited for 1.5 s: 8 questions at once, the local model's start included." in shown


def test_an_escalated_question_is_a_rescue_only_where_the_local_model_was_wrong():
    right = ESCALATED.model_copy(update={"local_answer": "Ada"})
    (kind,) = [kind for kind, _ in telling_questions(report(right), 1)]
    assert kind.startswith("The local model is right but not sure")
    (kind,) = [kind for kind, _ in telling_questions(report(ESCALATED), 1)]
    assert kind.startswith("A rescue")


def test_it_ends_with_three_commands_for_the_readers_own_data():
    shown = text_of(render_report(report(), show=0)).partition("Now yours")[2]
    assert [line.split()[1:3] for line in shown.splitlines() if " twosup" in line and line.split()[0].isdigit()] == [
        ["twosup", "ask"],
        ["twosup", "collect"],
        ["twosup", "calibrate"],
    ]


def test_shares_are_pieces_of_one_bar():
    bar, names = text_of(ShareBar({"local": 0.5, "remote": 0.2, "none": 0.3}), 80).splitlines()[:2]
    assert bar == "█" * 40 + "▓" * 16 + "░" * 24
    assert squeezed(names) == "█ local model 50 % ▓ remote model 20 % ░ no trusted answer 30 %"


@pytest.mark.parametrize("shares", [(1 / 3, 1 / 3, 1 / 3), (0.996, 0.002, 0.002), (0.0, 1.0, 0.0)])
def test_the_pieces_of_a_bar_always_fill_it(shares):
    bar = text_of(ShareBar(dict(zip(("local", "remote", "none"), shares, strict=True))), 61).splitlines()[0]
    assert len(bar) == 61


@pytest.mark.parametrize("width", [80, 100])
def test_no_line_is_wider_than_the_terminal_and_a_pipe_gets_no_escape_codes(width):
    shown = text_of(render_report(report(*EACH), show=5), width)
    assert max(map(cell_len, shown.splitlines())) <= width
    assert "\x1b" not in shown
