"""``twosup calibrate``: thresholds that keep a stated limit, from recorded questions; or whether old ones still do."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from twosup_chain import parts
from twosup_chain.cli.check import show_check
from twosup_chain.cli.command import command, flags_of
from twosup_chain.cli.console import note
from twosup_chain.cli.options import Output, OwnTargets, Prices, Records, Threshold
from twosup_chain.cli.tables import lines
from twosup_chain.cli.words import spoken
from twosup_chain.errors import ConfigurationError

if TYPE_CHECKING:
    from twosup_chain.outcomes.price import Price


@dataclass(frozen=True, kw_only=True)
class Targets(OwnTargets):
    """The limits to keep.

    Args:
        risk: The share of wrong answers among those that are given.
        remote_rate: The share of questions sent to the hosted model.
        false_positive_rate: The share of right predictions that are refused.
        budget: What the hosted model may cost per 1,000 questions; needs `price_in` and `price_out`.
        match_remote: How much less accurate than the hosted model alone the chain may be: 0 for not at all.
        max_call_cost: The most that one call can cost, on which a guarantee for a budget rests. By default it follows
            from the prices, `context` and `max_tokens`.
    """

    risk: Threshold = None
    remote_rate: Threshold = None
    false_positive_rate: Annotated[float | None, typer.Option("--false-positive-rate", "--fpr", metavar="0..1")] = None
    budget: Annotated[float | None, typer.Option(metavar="AMOUNT")] = None
    match_remote: Annotated[float | None, typer.Option(metavar="MARGIN")] = None
    max_call_cost: Annotated[float | None, typer.Option(metavar="AMOUNT")] = None


@dataclass(frozen=True, kw_only=True)
class Search:
    """How the thresholds are looked for.

    Args:
        confidence: The confidence of the guarantee.
        guarantee: ``mean`` promises that --risk is kept on average over calibrations, which is less than a confidence,
            and answers more where labels are few.
        plug_in: Take the thresholds that look best on these very questions, without a guarantee.
        prefer: Of the settings that keep the limits, the ``cheapest``, the one with the most ``coverage`` or
            ``accuracy``, or the ``safest``. By default the cheapest with --risk or --match-remote, the safest with
            --fpr, else the most accurate.
        abstention: What leaving a question open counts as: ``wrong``, or right where there is no answer
            (``no_answer``).
        early_abstention: Choose them for a chain whose first supervisor weighs the local answer against "no answer";
            needs a learned local scorer.
        reconcile: Choose them for a chain whose second supervisor takes the likeliest of the remote answer, the local
            one and "no answer"; needs a learned remote scorer.
        on_remote_error: What the chain does where a remote call fails: it leaves the question open (``no_answer``), or
            gives the local answer (``local``).
        fallback: The chain has a fallback; nothing is promised of its answers.
        looks: How often at most, with growing data, you will calibrate, this time included.
        groups: Make a promise for each value of this field of the questions' metadata, like their ``domain``; a group
            whose labels do not suffice has none, and that is said.
        order: Records of other questions, such as those that a scorer was fitted on: they fix the order of the tests,
            so that all of RECORDS test. May be repeated.
    """

    panel: ClassVar[str] = "Search"
    confidence: Annotated[float, typer.Option(metavar="0.5..1")] = 0.9
    guarantee: Annotated[str, typer.Option(metavar="KIND")] = "confidence"
    plug_in: bool = False
    prefer: Annotated[str | None, typer.Option(metavar="WHAT")] = None
    abstention: Annotated[str, typer.Option(metavar="RULE")] = "wrong"
    early_abstention: bool = False
    reconcile: bool = False
    on_remote_error: Annotated[str, typer.Option(metavar="WHAT")] = "no_answer"
    fallback: bool = False
    looks: Annotated[int, typer.Option(min=1)] = 1
    groups: Annotated[str | None, typer.Option(metavar="FIELD")] = None
    order: tuple[Path, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Reading(Records):
    """Whose trust is taken from the records.

    Args:
        local_scorer: Whose trust in local answers to take: a scorer's name, a file of ``twosup fit-scorer``'s, or a
            scorer of your own, as ``module:name`` or ``file.py:name``.
        remote_scorer: Whose trust in remote answers to take, likewise.
        missing: The trust in an answer that its scorer cannot read.
    """

    local_scorer: Annotated[str, typer.Option(metavar="NAME|FILE|OWN")] = "answerability"
    remote_scorer: Annotated[str, typer.Option(metavar="NAME|FILE|OWN")] = "grounded"
    missing: Threshold = None


@dataclass(frozen=True, kw_only=True)
class CallPrices(Prices):
    """What a call costs.

    Args:
        context: The most tokens that a call can read.
        max_tokens: The most tokens that a call can write.
    """

    context: Annotated[int | None, typer.Option(min=1, metavar="TOKENS")] = None
    max_tokens: Annotated[int | None, typer.Option(min=1, metavar="TOKENS")] = None

    def price(self) -> "Price | None":
        """Returns the price, with how long a call can be; ``None`` where the user does not say one."""
        found = super().price()
        return found and found.model_copy(update={"context": self.context, "max_tokens": self.max_tokens})


@dataclass(frozen=True, kw_only=True)
class Files(Output):
    """What is written and read.

    Args:
        out: The calibration's file, for the chain.
        check: Make no calibration: say how probable it is, by these records, that the one in FILE keeps its word.
    """

    out: Annotated[Path | None, typer.Option("--out", "-o")] = None
    check: Path | None = None


@command()
def calibrate(targets: Targets, search: Search, reading: Reading, prices: CallPrices, files: Files) -> None:
    """Choose both thresholds so that they keep a limit, with a guarantee, or check that they still do.

    Several limits hold together. Where no setting is known to keep them, that is an error, and no file is written.

    [bold]Examples[/bold]

    [cyan]twosup calibrate records.jsonl --risk 0.05 --confidence 0.9 --out calibration.json[/cyan]

    [cyan]twosup calibrate new.jsonl --check calibration.json[/cyan]
    """
    from twosup_chain.calibration import table

    given: dict[str, Any] = asdict(targets)
    own, most = [parts.own_target(spec) for spec in given.pop("target")], given.pop("max_call_cost")
    counted: dict[str, Any] = {"correct": reading.correct, "price": prices.price()}
    given_scorers = {"local": reading.local_scorer, "remote": reading.remote_scorer}
    local, remote = (parts.recorded_scorer(spec, role) for role, spec in given_scorers.items())
    scorers = parts.unregistered(local, remote)
    if files.check is not None:
        if files.out is not None or any(limit is not None for limit in given.values()):
            raise ConfigurationError("--check asks about a calibration that there is: leave --out and the targets out")
        show_check(files.check, list(reading.records), files, targets=own, scorers=scorers, **counted)
        return
    from twosup_chain.calibration import calibrate as calibrate_all

    options: dict[str, Any] = {  # `calibrate` lists the good words
        **given,
        **counted,
        "order": list(search.order) or None,
        "targets": own,
        "confidence": None if search.plug_in or search.guarantee == "mean" else search.confidence,
        "guarantee": search.guarantee,
        "prefer": search.prefer,
        "abstention": search.abstention,
        "on_remote_error": search.on_remote_error,
        "fallback": search.fallback,
        "looks": search.looks,
        "early_abstention": search.early_abstention,
        "reconcile": search.reconcile,
        "max_call_cost": most,
        "local_scorer": local,
        "remote_scorer": remote,
        "missing": reading.missing,
    }
    found = calibrate_all(list(reading.records), groups=search.groups, **options)
    if files.out is not None:
        found.save(files.out)
    said = flags_of(Targets, Search, Reading, CallPrices)
    files.show(lambda: json.loads(found.model_dump_json()), lambda: lines(spoken(table.as_text(found), said)))
    if files.out is None:
        note("nothing is saved: --out FILE writes the calibration")
        return
    own_ones = [f" --{role}-scorer {spec}" for role, spec in given_scorers.items() if parts.is_own_scorer(spec)]
    note(f"{files.out} is written: twosup ask … --calibration {files.out}{''.join(own_ones)} answers by it")
