"""Whether a reader's int8 model says the same on a processor without VNNI as on this one: AVX2 alone, emulated.

    python tests/benchmarks/processors.py [--model small|base|FOLDER] [--questions 40] [--cpu Haswell]

It needs ``qemu-x86_64`` (Debian's package ``qemu-user``, 7.2 or later) and a processor with VNNI, whose features the
emulated one lacks: both read the demo's questions, and the largest difference of answerability is the figure. Emulation
tells nothing about speed. With ``--read`` it reads once, natively, and writes what it found; so it calls itself.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from twosup_chain import ExtractiveReader
from twosup_chain.demo.recording import SAMPLE
from twosup_chain.text.questions import load_questions

#: Scores may differ by so much; float32 sums in another order turn a rounding here and there.
AGREE = 0.01


def read(model: str, count: int) -> list[tuple[float, str]]:
    """Returns answerability and best span of the first questions."""
    reader = ExtractiveReader(model=model, num_threads=1)
    answers = reader.answer_many([question.as_input() for question in load_questions(SAMPLE)[:count]])
    return [(answer.scores["answerability"], answer.candidates[0].text) for answer in answers]


def main() -> int:
    """Compares both and returns the exit status: 1 where they differ."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="small")
    parser.add_argument("--questions", type=int, default=40)
    parser.add_argument("--cpu", default="Haswell", help="as qemu names it: one with AVX2 and without AVX-512")
    parser.add_argument("--read", action="store_true")
    options = parser.parse_args()
    if options.read:
        print(json.dumps(read(options.model, options.questions)))
        return 0
    again = [sys.executable, Path(__file__), "--model", options.model, "--questions", str(options.questions), "--read"]
    emulated = ["qemu-x86_64", "-cpu", options.cpu]
    here, there = (
        json.loads(subprocess.run([*how, *again], capture_output=True, text=True, check=True).stdout)
        for how in ([], emulated)
    )
    apart = np.abs([a[0] - b[0] for a, b in zip(here, there, strict=True)])
    other = sum(a[1] != b[1] for a, b in zip(here, there, strict=True))
    flags = next(line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("flags")).split()
    print(f"{options.model}, {len(here)} questions, here {'with' if 'avx512_vnni' in flags else 'WITHOUT'} VNNI")
    print(f"answerability against {options.cpu}: {apart.max():.4f} apart at most, {apart.mean():.5f} on average")
    print(f"another best span: {other}")
    return int(apart.max() > AGREE)


if __name__ == "__main__":
    sys.exit(main())
