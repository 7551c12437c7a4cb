"""The tables as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


def markdown(found: dict[str, Any]) -> str:
    """Returns all tables as one Markdown page."""
    sections = (_head, _features, _systems, _claims, _flattered, _shift)
    return "\n\n".join(section(found) for section in sections) + "\n"


def pairs_markdown(found: dict[str, Any]) -> str:
    """Returns the tables of pairs as one Markdown page."""
    heads, tables = ["", *found], list(found.values())
    rows = [["local only, F1", *(interval(t["local"]["f1"], 1, percent=True) for t in tables)]]
    rows += [["hosted only, F1", *(interval(t["hosted"]["f1"], 1, percent=True) for t in tables)]]
    rows += [
        [f"hosted answer right, AUROC: {name}", *(interval(t["auroc"][name], 3) for t in tables)]
        for name in tables[0]["auroc"]
    ]
    rows += [
        [
            "hosted only's F1 by ours, fewest calls (picked in view)",
            *(_pair_point(t["as_good"]) for t in tables),
        ],
        ["ours at its best, F1 (picked in view)", *(_pair_point(t["best"]) for t in tables)],
    ]
    head = (
        f"# Pairs of models on {tables[0]['questions']:,} recorded questions\n\nThe questions, folds and intervals are "
        f"those of [the other tables](tables.md), {tables[0]['draws']:,} draws. small is the packaged reader, base the "
        "larger one, in one pair in the hosted model's place. All that is fitted, thresholds too, is fitted on the "
        "articles of four folds and judged on the fifth. `backed` is the local reader's word on the hosted answer. The "
        "oracle asks where it pays, within the budget, and its gain is over local only. Rivals keep a budget on the "
        "fitting questions, without a guarantee; ours stands there both ways."
    )
    parts = [f"{head}\n\n{table_text(heads, rows)}"]
    for name, table in found.items():
        columns = ["rule", "budget", "hosted calls", "F1", "EM", "less hosted only, F1", "share of the oracle's gain"]
        lines = [
            [
                rule,
                f"{float(budget):.0%}",
                *(interval(row[key], 1, percent=True) for key in ("remote_rate", "f1", "exact_match")),
                interval(row["over_hosted"], 1, percent=True, sign=True),
                interval(row["share_of_gain"], 0, percent=True),
            ]
            for budget, rows_at in table["budgets"].items()
            for rule, row in rows_at.items()
        ]
        parts.append(f"## {name}\n\n{table_text(columns, lines)}")
    return "\n\n".join(parts) + "\n"


def _head(found: dict[str, Any]) -> str:
    data = found["data"]
    small = f", small generative local model {data['small']}" if data["small"] else ""
    return (
        f"# Features and rules on {data['questions']:,} recorded questions\n\n"
        f"SQuAD v2 dev, {data['articles']} articles, {data['passages']} passages, {data['answerable']:,} answerable. "
        f"Local model: {data['reader']}{small}; hosted model: {data['remote']}. Everything fitted is fitted on the "
        f"articles of four folds and judged on the fifth. In brackets: 95 % bootstrap intervals, "
        f"{data['draws']:,} draws of {data['cluster']}."
    )


def _features(found: dict[str, Any]) -> str:
    parts = []
    for side, words in (("remote", "the hosted prediction is right"), ("local", "the reader's best span is right")):
        table = found["features"][side]
        rows = [[f"learned: {name}", interval(value, 3)] for name, value in table["learned"].items()]
        rows += [[f"`{name}`", interval(value, 3)] for name, value in table["single"].items()]
        over = "; ".join(f"{name} {interval(value, 3, sign=True)}" for name, value in table["over_best_single"].items())
        parts.append(
            f"## AUROC for “{words}” ({table['right']:.1%} are)\n\n{table_text(['feature', 'AUROC'], rows)}\n\n"
            f"Learned less the best single feature, `{table['best_single']}`: {over}."
        )
    return "\n\n".join(parts)


def _systems(found: dict[str, Any]) -> str:
    table = found["systems"]
    price = table["price"]
    names = ["system", "EM", "F1", "hosted calls", "coverage", "selective risk", "AUGRC", "tokens", "cost / 1,000"]
    rows = [
        [
            row["name"],
            *(
                interval(row[name], 1, percent=True)
                for name in ("exact_match", "f1", "remote_rate", "coverage", "risk")
            ),
            interval(row["augrc"], 3) if row["augrc"] else "–",
            f"{row['tokens'][0]:.0f}",
            f"{row['cost'][0]:.2f}",
        ]
        for row in table["rows"]
    ]
    less = [
        [
            name,
            interval(value["f1"], 1, percent=True, sign=True),
            interval(value["exact_match"], 1, percent=True, sign=True),
        ]
        for name, value in table["ours_less"].items()
    ]
    remark = f"\n\nNot feasible for every fold: {table['infeasible']}." if table["infeasible"] else ""
    return (
        f"## Whole systems\n\nTokens: of the hosted model, a question. Cost: in {price['currency']}, at "
        f"{price['input']:.2f} a million tokens read and {price['output']:.2f} written. "
        "A limit on the risk counts a token F1 of at least 0.5 as right, the column exact matches alone.\n\n"
        f"{table_text(names, rows)}"
        f"{remark}\n\n"
        f"“{table['ours']}” less each, in points:\n\n{table_text(['system', 'F1', 'EM'], less)}"
    )


def _claims(found: dict[str, Any]) -> str:
    table = found["claims"]
    names = ("remote_rate", "f1_over_local_only", "f1_over_remote_only")
    rows = [
        [draws, *(interval(table[draws][name], 1, percent=True, sign=name != "remote_rate") for name in names)]
        for draws in ("passages", "articles", "questions")
    ]
    heads = ["draws of", "hosted calls", "F1 over local only", "F1 over remote only"]
    return f"## {table['rule']}, with draws of different units\n\n{table_text(heads, rows)}"


def _flattered(found: dict[str, Any]) -> str:
    rows = [
        [name, f"{value['calls']:.1%}", interval(value["f1"], 1, percent=True, sign=True)]
        for name, value in found["curves"]["ours_less_best_at_no_more_calls"].items()
    ]
    return (
        "## Ours against each rule's best point at no more hosted calls\n\nThe point is picked on the very questions "
        "that it is judged on, which flatters the rival.\n\n"
        + table_text(["rule", "its calls", "F1, ours less it"], rows)
    )


def _shift(found: dict[str, Any]) -> str:
    table = found["shift"]
    figures = [
        [
            name,
            f"{row['questions']:,}",
            f"{row['answerable']:.1%}",
            *(f"{row[role]['right']:.1%}" for role in ("local", "remote")),
            *(f"{row[role]['auroc']:.3f}" for role in ("local", "remote")),
            *(f"{row[role]['calibration_error']:.3f}" for role in ("local", "remote")),
        ]
        for name, row in table["figures"].items()
    ]
    heads = ["source", "questions", "answerable"]
    heads += [
        f"{what}, {whose}"
        for what in ("F1 ≥ 0.5", "AUROC", "calibration error")
        for whose in ("reader's span", "hosted answer")
    ]
    return (
        f"## Domain shift: fitted and calibrated on SQuAD (confidence {table['confidence']:g})\n\n"
        "Nothing was fitted or calibrated on these sources, and the reader was trained on none of them.\n\n"
        f"{table_text(heads, figures)}\n\n{_promises(table['promises'])}"
    )


def _promises(table: dict[str, Any]) -> str:
    rows = []
    for name, promise in table.items():
        if "infeasible" in promise:
            rows.append([name, f"{promise['limit']:.0%}", "–", "", "", f"infeasible: {promise['infeasible']}"])
            continue
        own = interval(promise["at_home"], 1, percent=True)
        rows.append([name, f"{promise['limit']:.0%}", "SQuAD, out of fold", "", own, ""])
        rows += [
            [
                name,
                f"{promise['limit']:.0%}",
                source,
                f"{held['questions']:,}",
                interval(held["value"], 1, percent=True),
                f"{held['probability']:.3f}: {held['verdict']}",
            ]
            for source, held in promise["sources"].items()
        ]
    return table_text(
        ["promise", "limit", "source", "questions", "measured", "`check`: probability that it holds"], rows
    )


def _pair_point(point: dict[str, Any] | None) -> str:
    if point is None:
        return "–"
    return f"{interval(point['f1'], 1, percent=True)} at {interval(point['remote_rate'], 1, percent=True)}"


def interval(value: Sequence[float | None] | None, digits: int, *, percent: bool = False, sign: bool = False) -> str:
    """Returns a figure with its interval."""
    if value is None or value[0] is None or value[0] != value[0]:
        return "–"
    factor = 100.0 if percent else 1.0
    form = f"{'+' if sign else ''}.{digits}f"
    middle, low, high = (format(factor * number, form) for number in value if number is not None)
    return f"{middle} [{low}, {high}]"


def table_text(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Returns a table in Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
