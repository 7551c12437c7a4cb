"""The figures as tables: CSV with every digit, Markdown and LaTeX for people."""

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

from twosup_chain.paper.study import Replication

_LATEX = str.maketrans({sign: f"\\{sign}" for sign in "&%$#_{}"} | {"β": r"$\beta$", "Δ": r"$\Delta$"})

#: Columns of the table of supervisors: the name in CSV and JSON, and the one for people.
_SUPERVISORS = {
    "target_fpr": "FPR",
    "row": "1st-level rejection",
    "remote_delta": "remote Δ",
    "sys_delta": "system Δ",
    "sys_obj": "obj",
    "s_05": "S0.5",
    "s_1": "S1",
    "s_2": "S2",
}


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table of texts and numbers; NaN and ``None`` are empty cells."""

    name: str  # as a file
    caption: str
    columns: dict[str, str]  # the columns' names, in CSV and for people
    rows: Sequence[Sequence[str | float | None]]
    digits: int = 4  # decimal places for people; CSV has all

    def csv(self) -> str:
        """Returns the table with all digits, comma-separated."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows([None if _is_empty(cell) else cell for cell in row] for row in self.rows)
        return text.getvalue()

    def markdown(self) -> str:
        """Returns the table in GitHub's Markdown."""
        rule = ["---" if column == "row" else "---:" for column in self.columns]
        lines = [list(self.columns.values()), rule, *self.texts()]
        body = "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)
        return f"{self.caption}\n\n{body}\n"

    def latex(self) -> str:
        """Returns the table in LaTeX; it needs the package booktabs."""
        alignment = "".join("l" if column == "row" else "r" for column in self.columns)
        lines = [list(self.columns.values()), *self.texts()]
        head, *body = (" & ".join(cell.translate(_LATEX) for cell in line) + r" \\" for line in lines)
        return "\n".join(
            [
                r"\begin{table}",
                r"  \centering",
                f"  \\caption{{{self.caption.translate(_LATEX)}}}",
                f"  \\begin{{tabular}}{{{alignment}}}",
                r"    \toprule",
                f"    {head}",
                r"    \midrule",
                *(f"    {line}" for line in body),
                r"    \bottomrule",
                r"  \end{tabular}",
                r"\end{table}",
                "",
            ]
        )

    def texts(self) -> list[list[str]]:
        """Returns the cells as people read them."""
        return [[self._text(*item) for item in zip(self.columns, row, strict=True)] for row in self.rows]

    def _text(self, column: str, cell: str | float | None) -> str:
        if cell is None or _is_empty(cell):
            return "–"
        if isinstance(cell, str):
            return cell
        return f"{cell:g}" if column == "target_fpr" else f"{cell:.{self.digits}f}"


def tables(figures: Replication) -> tuple[Table, ...]:
    """Returns the tables of a study: its summary, its evaluation points and its supervisors."""
    return _summary(figures), _points(figures), _supervisors(figures)


def _summary(figures: Replication) -> Table:
    sides = (("local", figures.local_only), ("remote", figures.remote_only))
    return Table(
        name="models",
        caption=f"The models alone, n = {figures.n}; area under the request–accuracy curve {figures.auc_rac:.4f}",
        columns={"row": "model", "accuracy": "accuracy", "aurc": "AURC", "augrc": "AUGRC", "seconds": "seconds"},
        rows=[
            (name, accuracy, figures.aurc[name], figures.augrc[name], _seconds(figures, name))
            for name, accuracy in sides
        ],
    )


def _seconds(figures: Replication, side: str) -> float | None:
    if figures.latency is None:
        return None
    return figures.latency.local_seconds if side == "local" else figures.latency.remote_seconds


def _points(figures: Replication) -> Table:
    times = figures.latency.points if figures.latency else [None] * len(figures.points)
    return Table(
        name="points",
        caption="Evaluation points of the request–accuracy curve",
        columns={
            "row": "point",
            "cutoff": "cutoff",
            "accuracy": "accuracy",
            "seconds": "seconds",
            "saving": "time saved",
        },
        rows=[
            (point.name, point.cutoff, point.accuracy, *((time.seconds, time.saving) if time else (None, None)))
            for point, time in zip(figures.points, times, strict=True)
        ],
    )


def _supervisors(figures: Replication) -> Table:
    return Table(
        name="supervisors",
        caption="Two supervisors at target false-positive rates (FPR); Δ: the accepted share, obj: the accuracy in it",
        columns=_SUPERVISORS,
        rows=[[getattr(row, name) for name in _SUPERVISORS] for row in figures.table],
    )


def _is_empty(cell: object) -> bool:
    return cell is None or (isinstance(cell, float) and math.isnan(cell))
