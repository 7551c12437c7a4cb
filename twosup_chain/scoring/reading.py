"""What the local model's reading of the passage says of a prediction, its own or another model's.

A reading is an `Answer` of an `ExtractiveReader` (or of anything that gives the same scores): its evidence and its best
spans. The model does not run again: another model's answer is compared with the spans that the reading holds, which
differs from `ExtractiveReader.score` in that spans beyond the reader's ``top_k`` count as nothing.
"""

import math

from twosup_chain.schema import Answer
from twosup_chain.text.agreement import agreements

#: The least log-odds of a span against the best one that are told apart.
_FLOOR = -10.0
#: From this agreement on a span says about the same as the answer.
_SAME = 0.5


def is_reading(answer: Answer | None) -> bool:
    """Returns whether an answer carries what `reading_features` reads: spans and their odds against "no answer"."""
    return answer is not None and "null_probability" in answer.scores and "answerability" in answer.scores


def own_features(answer: Answer) -> dict[str, float]:
    """Returns what an answer says of itself: its finite `Answer.scores` by their names, and whether it is an answer.

    Among the scores are ``stated_confidence`` and ``self_consistency``, where they were asked for; besides come

    - ``no_answer``: 1 for the prediction that the context holds no answer, else 0;
    - ``backed``, for a reading: the probability that the prediction is right by the reading alone, in [0, 1]:
      answerability times the best span's share of all spans, or one minus answerability for "no answer".
    """
    found = {name: float(score) for name, score in answer.scores.items() if math.isfinite(score)}
    found["no_answer"] = float(answer.text is None)
    if is_reading(answer):
        share = answer.scores.get("span_probability", 0.0) / max(1.0 - answer.scores["null_probability"], 1e-12)
        found["span_share"] = min(1.0, share)
        found["backed"] = _backed(answer, None if answer.text is None else found["span_share"])
    return found


def reading_features(answer: Answer, reading: Answer) -> dict[str, float]:
    """Returns what a reading says of another model's answer.

    - ``backed``: as in `own_features`, for this answer;
    - ``support``: the share of the reading's probability, null left aside, on spans that agree with the answer, each
      weighted by its agreement with it, in [0, 1];
    - ``support_rank``: the place of the span that agrees most, from 0; the number of spans where none agrees;
    - ``support_f1``: that span's agreement with the answer, in [0, 1];
    - ``support_log_odds``: the log-odds of the likeliest span that says about the same (agreement ≥ 0.5) against the
      reading's best span, in [-10, 0];
    - ``top_f1``: agreement of the answer with the reading's best span, whether the reading trusts it or not.

    For "no answer" only ``backed`` is there.
    """
    if answer.text is None:
        return {"backed": _backed(reading, None)}
    f1s = agreements(answer.text, [span.text for span in reading.candidates])
    odds = [span.probability for span in reading.candidates]
    some = max(1.0 - reading.scores["null_probability"], 1e-12)
    support = min(1.0, math.fsum(p * f1 for p, f1 in zip(odds, f1s, strict=True)) / some)
    best = max(f1s, default=0.0)
    same = max((p for p, f1 in zip(odds, f1s, strict=True) if f1 >= _SAME), default=0.0)
    return {
        "backed": _backed(reading, support),
        "support": support,
        "support_rank": float(f1s.index(best)) if best > 0.0 else float(len(f1s)),
        "support_f1": best,
        "support_log_odds": max(_FLOOR, math.log(same / odds[0])) if same > 0.0 else _FLOOR,
        "top_f1": f1s[0] if f1s else 0.0,
    }


def _backed(reading: Answer, share: float | None) -> float:
    answerability = reading.scores["answerability"]
    return 1.0 - answerability if share is None else answerability * share
