"""The tables as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


def markdown(found: dict[str, Any]) -> str:
    """Returns all tables as one Markdown page."""
    sections = (_head, _signals, _systems, _claims, _flattered, _oracle, _shift, _timing)
    return "\n\n".join(section(found) for section in sections) + "\n"


def _head(found: dict[str, Any]) -> str:
    data = found["data"]
    small = f", small generative local model {data['small']}" if data["small"] else ""
    more = (
        f"; what is estimated before a call on all {data['read']:,} questions of these articles, which the reader "
        "alone was asked"
        if data["read"] != data["questions"]
        else ""
    )
    return (
        f"# Trust signals and rules on {data['questions']:,} recorded questions\n\n"
        f"SQuAD v2 dev, {data['articles']} articles, {data['passages']} passages, {data['answerable']:,} answerable. "
        f"Local model: {data['reader']}{small}; hosted model: {data['remote']}. Everything fitted is fitted on the "
        f"articles of four folds and judged on the fifth{more}. In brackets: 95 % bootstrap intervals, "
        f"{data['draws']:,} draws of {data['cluster']}."
    )


def _signals(found: dict[str, Any]) -> str:
    parts = []
    for side, words in (("remote", "the hosted prediction is right"), ("local", "the reader's prediction is right")):
        table = found["signals"][side]
        rows = [[f"learned: {name}", _interval(value, 3)] for name, value in table["learned"].items()]
        rows += [[f"`{name}`", _interval(value, 3)] for name, value in table["single"].items()]
        over = "; ".join(
            f"{name} {_interval(value, 3, sign=True)}" for name, value in table["over_best_single"].items()
        )
        parts.append(
            f"## AUROC for “{words}” ({table['right']:.1%} are)\n\n{_table(['signal', 'AUROC'], rows)}\n\n"
            f"Learned less the best single signal, `{table['best_single']}`: {over}."
        )
    return "\n\n".join(parts)


def _systems(found: dict[str, Any]) -> str:
    whole, part = found["systems"], found["systems_with_small"]
    sections = [_whole_systems("Whole systems", whole)]
    if part is not None:
        title = f"Whole systems on the {part['questions']:,} questions that the 0.5B model was recorded on"
        sections.append(_whole_systems(title, part))
    return "\n\n".join(sections)


def _whole_systems(title: str, table: dict[str, Any]) -> str:
    price = table["price"]
    names = ["system", "EM", "F1", "hosted calls", "coverage", "selective risk", "AUGRC", "tokens", "cost / 1,000"]
    rows = [
        [
            row["name"],
            *(_interval(row[name], 1, percent=True) for name in ("exact", "f1", "remote_rate", "coverage", "risk")),
            _interval(row["augrc"], 3) if row["augrc"] else "–",
            f"{row['tokens'][0]:.0f}",
            f"{row['cost'][0]:.2f}",
        ]
        for row in table["rows"]
    ]
    less = [
        [
            name,
            _interval(value["f1"], 1, percent=True, sign=True),
            _interval(value["exact"], 1, percent=True, sign=True),
        ]
        for name, value in table["ours_less"].items()
    ]
    remark = f"\n\nNot feasible for every fold: {table['infeasible']}." if table["infeasible"] else ""
    return (
        f"## {title}\n\nTokens: of the hosted model, a question. Cost: in {price['currency']}, at "
        f"{price['input']:.2f} a million tokens read and {price['output']:.2f} written.\n\n{_table(names, rows)}"
        f"{remark}\n\n"
        f"“{table['ours']}” less each, in points:\n\n{_table(['system', 'F1', 'EM'], less)}"
    )


def _claims(found: dict[str, Any]) -> str:
    table = found["claims"]
    names = ("remote_rate", "f1_over_local_only", "f1_over_remote_only")
    rows = [
        [draws, *(_interval(table[draws][name], 1, percent=True, sign=name != "remote_rate") for name in names)]
        for draws in ("passages", "articles", "questions")
    ]
    heads = ["draws of", "hosted calls", "F1 over local only", "F1 over remote only"]
    return f"## {table['rule']}, with draws of different units\n\n{_table(heads, rows)}"


def _flattered(found: dict[str, Any]) -> str:
    rows = [
        [name, f"{value['calls']:.1%}", _interval(value["f1"], 1, percent=True, sign=True)]
        for name, value in found["curves"]["ours_less_best_at_no_more_calls"].items()
    ]
    return (
        "## Ours against each rule's best point at no more hosted calls\n\nThe point is picked on the very questions "
        f"that it is judged on, which flatters the rival.\n\n{_table(['rule', 'its calls', 'F1, ours less it'], rows)}"
    )


def _oracle(found: dict[str, Any]) -> str:
    rows = [
        [
            f"{float(rate):.0%}",
            name,
            f"{rule['calls']:.1%}",
            _interval(rule["gain"], 1, percent=True, sign=True),
            _interval(rule["share"], 0, percent=True),
        ]
        for rate, table in found["oracle"].items()
        for name, rule in table["rules"].items()
    ]
    heads = ["calls at most", "rule", "its calls", "F1 over local only", "share of the oracle's gain"]
    gains = ", ".join(
        f"{_interval(table['oracle_gain'], 1, percent=True, sign=True)} with {table['oracle_calls']:.1%} calls"
        for table in found["oracle"].values()
    )
    return f"## Share of the oracle's gain over local only\n\nThe oracle gains {gains}.\n\n{_table(heads, rows)}"


def _shift(found: dict[str, Any]) -> str:
    table = found["shift"]
    figures = [
        [
            name,
            f"{row['questions']:,}",
            *(f"{row[key]:.1%}" for key in ("answerable", "exact", "f1")),
            *(f"{row[key]:.3f}" for key in ("auroc_learned", "auroc_backed", "calibration_error")),
        ]
        for name, row in table["reader"]["figures"].items()
    ]
    heads = ["source", "questions", "answerable", "EM", "F1", "AUROC learned", "AUROC `backed`", "calibration error"]
    return (
        f"## Domain shift: fitted and calibrated on SQuAD (confidence {table['confidence']:g})\n\n"
        "The reader was trained on a part of SubjQA, 12 % of its questions in the third and fourth round, and on none "
        "of the other sources.\n\n"
        f"Both models, on the recorded questions of each source:\n\n{_promises(table['both'])}\n\n"
        f"The local side alone, on whole sources:\n\n{_table(heads, figures)}\n\n"
        f"{_promises(table['reader']['promises'])}"
    )


def _promises(table: dict[str, Any]) -> str:
    rows = []
    for name, promise in table.items():
        if "infeasible" in promise:
            rows.append([name, f"{promise['limit']:.0%}", "–", "", "", f"infeasible: {promise['infeasible']}"])
            continue
        rows.append([name, f"{promise['limit']:.0%}", "SQuAD", "", _interval(promise["at_home"], 1, percent=True), ""])
        rows += [
            [
                name,
                f"{promise['limit']:.0%}",
                source,
                f"{held['questions']:,}",
                _interval(held["value"], 1, percent=True),
                f"{held['probability']:.3f}: {held['verdict']}",
            ]
            for source, held in promise["sources"].items()
        ]
    return _table(["promise", "limit", "source", "questions", "measured", "`check`: probability that it holds"], rows)


def _timing(found: dict[str, Any]) -> str:
    table = found["timing"]
    if table is None:
        return "## A supervisor's own time\n\nNot measured."
    share = table["share_of_reader"]
    rows = [
        [name.replace("_", " "), f"{value:.2f}", f"{share[name]:.1%}" if name in share else ""]
        for name, value in table["milliseconds"].items()
    ]
    heads = ["what", "CPU milliseconds, median", "share of the reader's"]
    return f"## A supervisor's own time ({table['questions']} questions, one thread)\n\n{_table(heads, rows)}"


def _interval(value: Sequence[float | None] | None, digits: int, *, percent: bool = False, sign: bool = False) -> str:
    if value is None or value[0] is None or value[0] != value[0]:
        return "–"
    factor = 100.0 if percent else 1.0
    form = f"{'+' if sign else ''}.{digits}f"
    middle, low, high = (format(factor * number, form) for number in value if number is not None)
    return f"{middle} [{low}, {high}]"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
