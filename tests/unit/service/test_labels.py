from __future__ import annotations

import numpy as np
import pytest
from pydantic import Field

from twosup_chain import Calibration, calibrate
from twosup_chain.calibration.grouped import GroupedCalibration
from twosup_chain.calibration.promise import check
from twosup_chain.errors import CalibrationFileError, CalibrationMismatchError, ConfigurationError, InputError
from twosup_chain.outcomes.outcomes import Outcomes
from twosup_chain.outcomes.price import Price
from twosup_chain.schema import Verdict
from twosup_chain.service.decision import Decision
from twosup_chain.service.feedback import Feedback
from twosup_chain.service.labels import read_labels
from twosup_chain.service.log import DecisionLog
from twosup_chain.service.recalibrate import recalibrate
from twosup_chain.service.replay import replay
from twosup_chain.service.watch import watch

SCORERS = {"local": "mine", "remote": "theirs"}
PRICE = Price(input=1.0, output=1.0)


def verdict(role, score, threshold=0.5):
    return Verdict(score=score, threshold=threshold, trusted=score >= threshold, scorer=SCORERS[role])


def traffic(n, *, shift=0.0, seed=0, shadow=0.3, label=0.5, start=0):
    """Decisions at thresholds of 0.5, and what feedback says of a share that depends on what became of them."""
    random = np.random.default_rng(seed)
    decisions, feedback, truth = [], {}, []
    for i in range(start, start + n):
        local, remote = random.uniform(size=2)
        right = random.uniform() < max(0.0, local - shift), random.uniform() < 0.3 + 0.65 * remote
        kept, trusted = local >= 0.5, remote >= 0.5
        asked = not kept or random.uniform() < shadow
        truth.append((local, remote, *right))
        verdicts = {"local": verdict("local", local), **({"remote": verdict("remote", remote)} if asked else {})}
        source = "local" if kept else "remote" if trusted else "none"
        given = {"id": f"dec_{i}", "route": "r", "caller": None, "time": float(i + 1), "reason": ""}
        given["question"] = f"{i:064x}"[::-1]
        usage = {"input_tokens": 100, "output_tokens": 10, "total_tokens": 110}
        decisions.append(
            Decision(
                **given,
                source=source,
                status="untrusted" if source == "none" else "answered",
                seconds=0.1,
                verdicts=verdicts,
                shadow=kept and asked,
                no_answer=dict.fromkeys(verdicts, False),
                agree=(right[0] and right[1]) if asked else None,
                usage={"remote": usage} if asked else {},
                always_remote=0.01,
                currency="EUR",
            )
        )
        if random.uniform() < (label if kept else 0.9):
            known = {"local": right[0], "remote": right[1]}
            feedback[f"dec_{i}"] = _said(f"dec_{i}", known)
    return decisions, feedback, np.array(truth)


class _Said(Feedback):
    known: dict[str, bool] = Field(default_factory=dict)

    def right_of(self, decision, source):
        return self.known.get(source)


def _said(name, known):
    return _Said(decision=name, right=True, known=known)


def test_a_fair_sample_is_as_the_traffic_though_labels_are_not():
    decisions, feedback, truth = traffic(20_000)
    labels = read_labels(decisions, feedback, scorers=SCORERS)
    fair, rest = labels.fair()
    assert labels.decided == {"kept": sum(d.source == "local" for d in decisions), **_others(decisions)}
    assert 0.4 < np.mean(truth[:, 0] < 0.5) < 0.6
    skewed = np.mean(labels.outcomes.local_score < 0.5)
    assert skewed > 0.8
    assert np.mean(fair.local_score < 0.5) == pytest.approx(0.5, abs=0.03)
    assert np.mean(fair.local_correct) == pytest.approx(np.mean(truth[:, 2]), abs=0.03)
    assert np.mean(fair.remote_correct) == pytest.approx(np.mean(truth[:, 3]), abs=0.03)
    assert len(fair) + len(rest) == len(labels.outcomes)


def _others(decisions):
    escalated = [d for d in decisions if d.source != "local"]
    trusted = sum(d.source == "remote" for d in escalated)
    return {"trusted": trusted, "refused": len(escalated) - trusted}


def test_a_stratum_of_which_nothing_is_labelled_is_an_error_with_its_cure():
    decisions, feedback, _ = traffic(300, shadow=0.0)
    with pytest.raises(InputError, match="shadow_rate"):
        read_labels(decisions, feedback, scorers=SCORERS).fair()
    with pytest.raises(InputError, match="is labelled"):
        read_labels([], {}, scorers=SCORERS).fair()


def test_other_scorers_and_failed_calls_are_passed_over_and_costs_are_read():
    decisions, feedback, _ = traffic(200)
    other = {"local": "mine", "remote": "another"}
    assert len(read_labels(decisions, feedback, scorers=other).outcomes) == 0
    priced = read_labels(decisions, feedback, scorers=SCORERS, price=PRICE).outcomes
    assert priced.remote_cost == pytest.approx(np.full(len(priced), 110e-6))


def test_a_call_that_failed_is_labelled_as_one_and_what_was_withheld_is_no_draw():
    decisions, feedback, _ = traffic(200)
    kinds = {0: {"error": "TimeoutError"}, 1: {"error": "RemoteWithheldError: the cap"}, 2: {}}
    for i, decision in enumerate(decisions):
        if decision.source == "local":
            continue
        left = {"local": decision.verdicts["local"]} if i % 4 < 3 else {"remote": decision.verdicts["remote"]}
        decisions[i] = decision.model_copy(update={"verdicts": left, **kinds.get(i % 4, {})})
    labels = read_labels(decisions, feedback, scorers=SCORERS)
    escalated = [i for i, decision in enumerate(decisions) if decision.source != "local"]
    assert labels.decided["failed"] == sum(i % 4 == 0 for i in escalated)
    assert labels.decided["trusted"] + labels.decided["refused"] == sum(i % 4 == 3 for i in escalated)
    failed = np.array([stratum == "failed" for stratum in labels.strata])
    assert (labels.outcomes.remote_failed == failed).all()
    assert labels.outcomes.local_failed.sum() == sum(s in ("trusted", "refused") for s in labels.strata) > 0
    assert not labels.outcomes.local_correct[labels.outcomes.local_failed].any()


def test_of_what_feedback_does_not_tell_the_worst_is_assumed():
    decisions, _, _ = traffic(200)
    feedback = {d.id: _said(d.id, {d.source: True}) for d in decisions if d.source == "remote"}
    labels = read_labels(decisions, feedback, scorers=SCORERS)
    assert labels.assumed == len(labels.outcomes) > 0
    assert not labels.outcomes.local_correct.any()


@pytest.fixture
def log(tmp_path, monkeypatch):
    """A log of drifted traffic, labelled."""
    opened = DecisionLog(tmp_path / "log.db")
    decisions, feedback, _ = traffic(3_000, shift=0.35, seed=1)
    for decision in decisions:
        opened.put(decision)
    opened.store.flush()
    monkeypatch.setattr(opened, "feedback", lambda: feedback)
    return opened


def fitted(shift=0.0):
    _, _, truth = traffic(3_000, shift=shift, seed=2)
    return calibrate(outcomes_of(truth), risk=0.2, confidence=0.9, local_scorer="mine", remote_scorer="theirs")


def outcomes_of(truth):
    return Outcomes(
        local_score=truth[:, 0],
        remote_score=truth[:, 1],
        local_correct=truth[:, 2] == 1.0,
        remote_correct=truth[:, 3] == 1.0,
    )


def test_recalibrating_from_a_log_brings_a_promise_back_that_drift_has_broken(log):
    old = fitted()
    _, _, fresh = traffic(4_000, shift=0.35, seed=3)
    assert check(old, outcomes_of(fresh)).probability < 0.01
    new = recalibrate(log, old)
    assert isinstance(new, Calibration)
    assert [(p.target, p.limit) for p in new.promises] == [("risk", 0.2)]
    assert check(new, outcomes_of(fresh)).probability > 0.5


def test_what_a_log_does_not_tell_of_is_refused_by_name(log, tmp_path):
    made = fitted()
    weighing, law = made.model_copy(update={"reconcile": True}), made.model_copy(update={"where": {"domain": "law"}})
    for find in (recalibrate, replay, watch):
        with pytest.raises(ConfigurationError, match="early_abstention or reconcile"):
            find(log, weighing)
        with pytest.raises(ConfigurationError, match="domain.*law.* alone.*--route"):
            find(log, law)
    assert recalibrate(log, law, route="r").where == {"domain": "law"}
    GroupedCalibration(by="domain", groups={"law": law}).save(tmp_path / "groups.json")
    with pytest.raises(CalibrationFileError, match="groups.NAME..save"):
        Calibration.load(tmp_path / "groups.json")


def test_a_replay_says_what_other_thresholds_would_have_come_to(log):
    old = fitted()
    found = replay(log, old)
    kept = sum(d.verdicts["local"].score >= old.local.threshold for d in log.decisions())
    assert found.decisions == 3_000
    assert found.kept.value == kept / 3_000
    assert found.kept.low < found.kept.value < found.kept.high
    assert found.saved == pytest.approx(0.01 * kept)
    risk = next(e for e in found.estimates if e.name == "risk")
    assert risk.low > 0.2
    same = old.model_copy(
        update={role: setting.model_copy(update={"threshold": 0.5}) for role, setting in old.settings.items()}
    )
    assert replay(log, same).changed == 0
    assert replay(log, same).unknown == 0
    with pytest.raises(InputError, match="nothing to replay"):
        replay(log, old.model_copy(update={"local": old.local.model_copy(update={"scorer": "none"})}))
    with pytest.raises(CalibrationMismatchError, match="does not name"):
        replay(log, old.model_copy(update={"local": old.local.model_copy(update={"scorer": None})}))
