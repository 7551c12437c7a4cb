"""How an outcome looks: at two widths, with and without colours, in a pipe, and with texts that are hard to set."""

from __future__ import annotations

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from printed import squeezed, text_of
from rich.cells import cell_len
from rich.console import Console

from twosup_chain.cli.render import Passage, VerdictLine, compare, render_result
from twosup_chain.schema import Answer, QAInput, TwoSupervisorResult, Verdict
from twosup_chain.text.citation import citations

TIDES = (
    "The harbour dries out almost completely at low water. The sill's gate is opened by the harbour master, "
    "Ailsa Crane, when the sea outside rises level with the basin."
)
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def ask(context=TIDES):
    return QAInput(question="Who opens the gate?", context=context)


def verdict(score, threshold=0.6, scorer="answerability"):
    return Verdict(score=score, threshold=threshold, trusted=score >= threshold, scorer=scorer)


def local(text, context=TIDES):
    if text is None:
        return Answer(None, seconds=0.042, model="reader-1")
    start = context.index(text)
    return Answer(text, start=start, end=start + len(text), document=0, seconds=0.042, model="reader-1")


def remote(text):
    usage = {"input_tokens": 1200, "output_tokens": 34, "total_tokens": 1234}
    return Answer(text, usage=usage, seconds=1.83, model="m-1")


def trusted_local(text="Ailsa Crane", context=TIDES):
    return TwoSupervisorResult(
        answer=text,
        status="answered",
        source="local",
        local=local(text, context),
        local_verdict=verdict(0.912),
        reason="local answer trusted (answerability 0.912 ≥ 0.600)",
        citations=citations(ask(context), local(text, context)),
        seconds=0.044,
    )


def escalated(text="Ailsa Crane"):
    return TwoSupervisorResult(
        answer=text,
        status="answered",
        source="remote",
        local=local(None),
        remote=remote(text),
        local_verdict=verdict(0.41),
        remote_verdict=verdict(0.99, 0.5, "in_context"),
        reason="local no-answer not trusted; remote answer trusted",
        citations=citations(ask(), remote(text)),
        usage=remote(text).usage,
        seconds=1.9,
    )


UNTRUSTED = TwoSupervisorResult(
    answer=None,
    status="untrusted",
    source="none",
    local=local("Ailsa Crane"),
    remote=remote("the [bold]mayor[/bold] \x1b[31mred"),
    local_verdict=verdict(0.2),
    remote_verdict=verdict(0.0, 0.5, "in_context"),
    reason="nobody",
)
UNANSWERABLE = TwoSupervisorResult(
    answer=None, status="unanswerable", source="local", local=local(None), local_verdict=verdict(0.8), reason="none"
)
FAILED = TwoSupervisorResult(
    answer=None,
    status="untrusted",
    source="none",
    local=local("Ailsa Crane"),
    local_verdict=verdict(0.2),
    reason="the remote failed",
    error="TimeoutError: too late",
)
OUTCOMES = {
    "local": trusted_local(),
    "remote": escalated(),
    "untrusted": UNTRUSTED,
    "unanswerable": UNANSWERABLE,
    "failed": FAILED,
}


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_no_line_is_wider_than_the_terminal(outcome, width):
    shown = text_of(render_result(OUTCOMES[outcome], ask()), width, force_terminal=True)
    assert max(cell_len(ANSI.sub("", line)) for line in shown.splitlines()) <= width


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_pipe_gets_no_escape_codes(outcome):
    assert "\x1b" not in text_of(render_result(OUTCOMES[outcome], ask()))


def test_the_answer_is_highlighted_in_its_passage():
    shown = text_of(render_result(trusted_local(), ask()), force_terminal=True, color_system="standard")
    assert "master, \x1b[1;7;32mAilsa Crane\x1b[0m, when" in squeezed(shown)


def test_without_colours_the_answer_is_highlighted_all_the_same():
    shown = text_of(render_result(trusted_local(), ask()), force_terminal=True, color_system="standard", no_color=True)
    assert "master, \x1b[1;7mAilsa Crane\x1b[0m, when" in squeezed(shown)
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", shown)


def test_in_a_pipe_the_answer_is_marked_in_its_passage():
    assert "master, >>Ailsa Crane<<, when" in squeezed(text_of(render_result(trusted_local(), ask())))


def test_a_remote_answer_is_marked_where_it_stands():
    shown = squeezed(text_of(render_result(escalated("ailsa  CRANE"), ask())))
    assert "from the remote model" in shown
    assert "master, >>Ailsa Crane<<, when" in shown


def test_a_remote_answer_that_stands_nowhere_is_said_to():
    shown = text_of(render_result(escalated("the mayor"), ask()))
    assert "These words do not stand in the context." in shown
    assert ">>" not in shown


def test_the_document_of_the_answer_is_named():
    result = render_result(trusted_local(), ask([TIDES, "other"]), names=["a [1].txt", "b.txt"])
    assert "(document 1 of 2, a [1].txt)" in text_of(result)


def test_scores_verdicts_models_times_and_tokens_are_shown():
    shown = squeezed(text_of(render_result(escalated(), ask())))
    for fact in ("0.410 < 0.600 not trusted", "0.990 ≥ 0.500 trusted", "in_context · m-1 · 1.8 s · 1234 tokens"):
        assert fact in shown
    assert "Why Local no-answer not trusted; remote answer trusted" in shown
    assert "Cost 1.9 s · 1234 tokens" in shown


def test_rejected_proposals_are_shown_as_they_are_written():
    shown = text_of(render_result(UNTRUSTED, ask()))
    assert "No trusted answer" in shown
    assert "the [bold]mayor[/bold] ␛[31mred" in shown


def test_a_trusted_no_answer_and_an_untrusted_one_are_told_apart():
    assert "The context does not hold an answer." in text_of(render_result(UNANSWERABLE, ask()))
    assert "No answer was found that can be trusted." in text_of(render_result(UNTRUSTED, ask()))


def test_the_users_words_for_no_answer_take_the_place_of_ours():
    shown = text_of(render_result(UNTRUSTED, ask(), no_answer="Ask a [human]."))
    assert "Ask a [human]." in shown
    assert "can be trusted" not in shown


def test_a_remote_that_failed_is_shown_as_such():
    assert "Remote gave no answer" in squeezed(text_of(render_result(FAILED, ask())))


def test_a_remark_stands_below():
    assert squeezed(text_of(render_result(UNANSWERABLE, ask(), remark="fitted on x [y]"))).endswith(
        "Note Fitted on x [y]"
    )


@pytest.mark.parametrize(
    ("context", "answer"),
    [
        (
            "首都は東京です。" * 12 + "塔の高さは三百三十三メートルです。" + "首都は東京です。" * 12,
            "三百三十三メートル",
        ),
        ("בשנת 1974 נבנה סף גרניט. השער נפתח בידי אילסה קריין, מנהלת הנמל.", "אילסה קריין"),
        ("عاصمة مصر هي القاهرة، وهي أكبر مدنها.", "القاهرة"),
        ("Emoji 👩‍🚀🙂 and e\u0301 combining: the crew was named Šárka 🙂 today.", "Šárka 🙂"),
        ("[/red] [b]x[/b] \\[ the price is [5] euros", "[5]"),
    ],
)
@pytest.mark.parametrize("width", [80, 120])
def test_wide_right_to_left_and_bracketed_texts_keep_their_characters_and_the_width(context, answer, width):
    shown = text_of(render_result(trusted_local(answer, context), ask(context)), width)
    assert f">>{answer}<<" in shown.replace("\n  ", "") or f">>{answer}<<" in squeezed(shown)
    assert max(cell_len(line) for line in shown.splitlines()) <= width


@pytest.mark.parametrize("width", [1, 20, 40])
def test_a_narrow_terminal_is_no_crash(width):
    assert text_of(render_result(escalated(), ask()), width)


def test_of_a_long_passage_only_the_neighbourhood_is_shown():
    context = "before " * 20_000 + "the ANSWER is here " + "after " * 20_000
    start = context.index("ANSWER")
    shown = squeezed(text_of(Passage(context, start, start + 6)))
    assert re.fullmatch(r"… (before )+the >>ANSWER<< is here (after )+…", shown)
    assert 300 < len(shown) < 700


def test_text_beyond_much_white_space_is_hinted_at():
    context = "far\n" + "\n" * 9000 + "near ANSWER near\n" + "\n" * 9000 + "far"
    start = context.index("ANSWER")
    assert squeezed(text_of(Passage(context, start, start + 6))) == "… near >>ANSWER<< near …"
    assert squeezed(text_of(Passage(context[4:-3], start - 4, start + 2))) == "near >>ANSWER<< near"


def test_a_long_word_beside_the_answer_is_cut():
    shown = squeezed(text_of(Passage("x" * 5000 + "ANSWER" + "y" * 5000, 5000, 5006)))
    assert shown.replace(" ", "").startswith("…xxx")
    assert len(shown) < 700


def test_control_characters_and_line_ends_do_not_move_the_highlight():
    context = "a\r\n\x1b[1mb\x07\u2028c the ANSWER\r\nend"
    start = context.index("ANSWER")
    assert squeezed(text_of(Passage(context, start, start + 6))) == "a ␛[1mb␇ c the >>ANSWER<< end"


def bar(shown):
    return shown.split("  ")[0]


@pytest.mark.parametrize(
    ("score", "threshold", "expected"),
    [
        (0.5, 0.75, "━━━━━──┃──"),
        (0.9, 0.5, "━━━━━┃━━━─"),
        (1.0, 1.0, "━━━━━━━━━┃"),
        (0.0, 0.0, "┃─────────"),
    ],
)
def test_a_bar_is_filled_up_to_the_score_and_has_its_mark_at_the_threshold(score, threshold, expected):
    assert bar(text_of(VerdictLine(verdict(score, threshold)), VerdictLine.WORDS + 10)) == expected


@pytest.mark.parametrize(("score", "colour", "word"), [(0.6, "32", "trusted"), (0.59, "31", "not trusted")])
def test_a_bar_is_green_where_trusted_and_red_where_not(score, colour, word):
    shown = text_of(VerdictLine(verdict(score)), force_terminal=True, color_system="standard")
    assert shown.startswith(f"\x1b[{colour}m━")
    assert f"\x1b[1;{colour}m  {word}\x1b[0m" in shown


def test_a_bar_is_ascii_where_the_terminal_is():
    class Ascii(io.StringIO):
        encoding = "ascii"

    file = Ascii()
    Console(file=file, width=80).print(VerdictLine(verdict(0.7)))
    assert file.getvalue().isascii()
    assert "0.700 >= 0.600  trusted" in file.getvalue()


probabilities = st.floats(0, 1)


@given(probabilities, probabilities)
def test_two_numbers_that_differ_are_never_shown_as_equal(score, threshold):
    left, sign, right = compare(score, threshold).split()
    assert sign == ("≥" if score >= threshold else "<")
    assert (left == right) <= (abs(score - threshold) < 1e-15)
