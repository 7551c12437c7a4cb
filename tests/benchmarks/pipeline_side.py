"""The other side of `test_reader_speed`, for an environment of its own: transformers' question answering pipeline.

It is given a model folder and a number of threads, and then, line by line, questions as JSON; it replies with the
seconds that answering took, and the answers.
"""

from __future__ import annotations

import json
import sys
import time


def main() -> None:
    """Answers until standard input ends."""
    import torch
    from transformers import pipeline

    torch.set_num_threads(int(sys.argv[2]))
    answer = pipeline("question-answering", model=sys.argv[1], device="cpu", torch_dtype=torch.float32)
    print("ready", flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        began = time.perf_counter()
        found = answer(request["questions"], batch_size=request["batch_size"])
        seconds = time.perf_counter() - began
        answers = [item["answer"] for item in (found if isinstance(found, list) else [found])]
        print(json.dumps({"seconds": seconds, "answers": answers}), flush=True)


if __name__ == "__main__":
    main()
