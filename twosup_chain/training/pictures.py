"""Pictures of a reader: how its training went, and what its trust is worth. Both need matplotlib."""

from pathlib import Path
from typing import Any

from twosup_chain._atomic import write_folder
from twosup_chain.training.evaluate import ReaderEvaluation
from twosup_chain.training.log import read_log

#: The figures of an evaluation that are drawn, with their labels.
_CURVES = {"exact": "forced EM", "f1": "forced F1", "auroc": "AUROC", "balanced_f1": "best balanced F1"}


def draw_run(log: Path) -> None:
    """Draws ``curves.png`` beside the log of a training run, where matplotlib is installed."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        return
    entries: dict[str, list[dict[str, Any]]] = {"train": [], "evaluation": []}
    for entry in read_log(log):
        entries.get(entry["event"], []).append(entry)
    figure = Figure(figsize=(10, 4), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    left.plot([e["step"] for e in entries["train"]], [e["loss"] for e in entries["train"]], linewidth=0.8)
    left.set(xlabel="step", ylabel="training loss")
    steps = [entry["step"] for entry in entries["evaluation"]]
    for name, label in _CURVES.items():
        right.plot(steps, [entry[name] for entry in entries["evaluation"]], marker="o", label=label)
    right.set(xlabel="step", ylabel="held-out figure")
    if steps:
        right.legend()
    figure.savefig(log.with_name("curves.png"), dpi=120)


def draw_evaluation(found: ReaderEvaluation, folder: Path) -> None:
    """Writes the risk–coverage curve and the reliability of answerability as pictures (SVG and PNG) into a folder."""
    from twosup_chain.evaluation.drawing import drawn
    from twosup_chain.evaluation.plotting import reliability_figure, risk_coverage_figure

    pictures = {
        "risk_coverage": risk_coverage_figure({"reader": (found.answerability, found.right_if_given)}),
        "reliability": reliability_figure({"answerability": (found.answerability, found.answerable)}),
    }
    files = {f"{name}{suffix}": drawn(made, suffix) for name, made in pictures.items() for suffix in (".svg", ".png")}
    write_folder(folder, files)
