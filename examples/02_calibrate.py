"""Fit both thresholds to labelled questions, for a target that you state, and build the chain from the result.

    python examples/02_calibrate.py

The hosted model is played back from the demo's recording, so that no key is needed; with your own models, pass
`remote="openai:gpt-4.1-mini"` and your own questions. 144 questions on 16 passages are too few for a promise of risk.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from twosup_chain import ExtractiveReader, TwoSupervisorChain, calibrate, collect, evaluate
from twosup_chain.demo.recording import SAMPLE
from twosup_chain.demo.replay import ReplayedAnswerer
from twosup_chain.demo.run import RECORDING
from twosup_chain.demo.thresholds import TUNING, TUNING_RECORDING
from twosup_chain.errors import InfeasibleTargetError

reader = ExtractiveReader()
scorers = ["answerability", "grounded"]

with TemporaryDirectory() as folder:
    # 1. Both models answer every labelled question, and every scorer scores them. A rerun goes on where it stopped.
    records = Path(folder, "records.jsonl")
    done = collect(
        TUNING, local=reader, remote=ReplayedAnswerer(recording=TUNING_RECORDING), scorers=scorers, out=records
    )
    print(f"{done.recorded} questions recorded in {done.seconds:.1f} s")

    # 2. Thresholds that keep a target with a stated confidence, or an error that says why there are none. Without a
    #    confidence they are the best ones on these very questions, which promises nothing.
    names = {"local_scorer": "answerability", "remote_scorer": "grounded"}
    try:
        calibrate(records, risk=0.2, confidence=0.9, **names)
    except InfeasibleTargetError as error:
        print(f"infeasible: {error}")
    calibration = calibrate(records, risk=0.2, **names)
    print(f"risk 20 %: local ≥ {calibration.local.threshold:.3f}, hosted ≥ {calibration.remote.threshold:.3f}")

    # 3. The chain has these thresholds, and refuses answers of other models than they were fitted for.
    chain = TwoSupervisorChain.from_calibration(calibration, local=reader, remote=ReplayedAnswerer(recording=RECORDING))
    print(chain.invoke({"question": "Who founded it?", "context": "It was founded by Ida Holm in 1904."}).reason)

    # 4. Does the promise hold on other questions? A report with curves, intervals and costs.
    others = Path(folder, "others.jsonl")
    collect(SAMPLE, local=reader, remote=ReplayedAnswerer(recording=RECORDING), scorers=scorers, out=others)
    report = evaluate(others, calibration=calibration)
    for promise in report.figures.promises:
        print(f"{promise.target}: promised at most {promise.limit:.2f}, is {promise.found.value:.2f} on {SAMPLE.name}")
