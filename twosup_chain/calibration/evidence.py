"""`Evidence`: labelled questions for `calibrate`, as columns, and where they come from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from twosup_chain.calibration.record import CalibratedSupervisor
from twosup_chain.calibration.settings import read_judged
from twosup_chain.errors import ConfigurationError
from twosup_chain.outcomes.predictions import in_words
from twosup_chain.scoring.learned import LearnedScorer

if TYPE_CHECKING:
    from twosup_chain.outcomes.outcomes import Outcomes
    from twosup_chain.outcomes.predictions import Correct
    from twosup_chain.outcomes.price import Price
    from twosup_chain.records.lines import Paths


@dataclass(frozen=True, eq=False, kw_only=True)
class Evidence:
    """Labelled questions, and where they come from.

    Args:
        outcomes: The columns.
        digest: 16 hexadecimal digits that stand for the data.
        scorers: The scorers' names, local and remote; ``None`` where nobody has told.
        models: The models' names, likewise.
        correct: What counts as right, in words; ``None`` where nobody has told.
        missing: The score of an answer that lacks what its scorer reads.
        failed: How many further questions were left out because a call failed.
    """

    outcomes: Outcomes
    digest: str
    scorers: tuple[str | None, str | None]
    models: tuple[str | None, str | None]
    correct: str | None = None
    missing: float | None = None
    failed: int = 0

    @classmethod
    def of_columns(cls, outcomes: Outcomes, *, scorers: tuple[Any, Any], models: tuple[Any, Any]) -> Evidence:
        """Returns columns as evidence."""
        names = (scorer.name if isinstance(scorer, LearnedScorer) else scorer for scorer in scorers)
        state = hashlib.sha256()
        for column in (outcomes.local_score, outcomes.remote_score):
            state.update(np.ascontiguousarray(column, dtype="<f8").tobytes())
        for flags in (outcomes.local_correct, outcomes.remote_correct):
            state.update(np.packbits(flags).tobytes())
        digest = state.hexdigest()[:16]
        return cls(outcomes=outcomes, digest=digest, scorers=(*names,), models=models)  # type: ignore[arg-type]

    @classmethod
    def of_records(
        cls,
        paths: Paths,
        *,
        scorers: tuple[Any, Any],
        correct: Correct,
        price: Price | None,
        missing: float | None,
        **weighing: bool,
    ) -> Evidence:
        """Returns records as evidence.

        Raises:
            ConfigurationError: A scorer is not given.
            RecordsError: The records cannot be read.
        """
        if None in scorers:
            message = "records hold the trust of several scorers: pass local_scorer='…' and remote_scorer='…'"
            raise ConfigurationError(message)
        learned = {scorer.name: scorer for scorer in scorers if isinstance(scorer, LearnedScorer)}
        local, remote = (
            CalibratedSupervisor(scorer=getattr(scorer, "name", scorer), threshold=0.0, missing=missing)
            for scorer in scorers
        )
        columns = read_judged(paths, local=local, remote=remote, scorers=learned, **weighing)
        source = columns.provenance
        return cls(
            outcomes=columns.outcomes(correct=correct, price=price),
            digest=source.digest,
            scorers=(source.local_scorer, source.remote_scorer),
            models=(source.local_model, source.remote_model),
            correct=in_words(correct),
            missing=missing,
            failed=source.failed,
        )

    def supervisors(self, local: float, remote: float) -> dict[str, CalibratedSupervisor]:
        """Returns both supervisors' settings with these thresholds, by role."""
        return {
            role: CalibratedSupervisor(scorer=scorer, threshold=threshold, model=model, missing=self.missing)
            for role, scorer, threshold, model in zip(
                ("local", "remote"), self.scorers, (local, remote), self.models, strict=True
            )
        }
