"""Compact data from recordings, labelled questions and a live run of the packaged reader."""

from __future__ import annotations

import hashlib
import itertools
import math
import time
from typing import TYPE_CHECKING

from study.questions import Prediction, Question, Token, own_signals
from twosup_chain.demo.recording import digest
from twosup_chain.scoring.features import features
from twosup_chain.text.squad import exact_match, f1

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from twosup_chain.reader.reader import ExtractiveReader
    from twosup_chain.schema import Answer, TokenLogprob
    from twosup_chain.text.questions import LabelledQuestion

_READ_AT_ONCE = 32


def compact(
    examples: Sequence[LabelledQuestion],
    source: str,
    reader: ExtractiveReader,
    *,
    small: Mapping[str, Answer] | None = None,
    remote: Mapping[str, Answer] | None = None,
    progress: Callable[[int, int], object] = lambda _done, _all: None,
) -> Iterator[Question]:
    """Yields a line of compact data for every question.

    Args:
        examples: The labelled questions.
        source: The name of their data set.
        reader: The reader, which answers here and now.
        small: The small generative model's recorded answers by digest.
        remote: The hosted model's; where there are some, questions without one are left out.
        progress: Is told how many questions are done, and how many there are.
    """
    wanted = [example for example in examples if not remote or digest(example.as_input()) in remote]
    for at in range(0, len(wanted), _READ_AT_ONCE):
        progress(at, len(wanted))
        some = wanted[at : at + _READ_AT_ONCE]
        for example, local in zip(some, reader.answer_many([e.as_input() for e in some]), strict=True):
            if isinstance(local, Exception):
                raise local
            key = digest(example.as_input())
            yield _line(example, source, local, (small or {}).get(key), (remote or {}).get(key))
    progress(len(wanted), len(wanted))


def _line(
    example: LabelledQuestion, source: str, local: Answer, small: Answer | None, remote: Answer | None
) -> Question:
    question = example.as_input()
    span = local.candidates[0].text if local.candidates else None
    times = [time.thread_time()]
    on_local = features(question, local)
    times.append(time.thread_time())
    on_remote = {} if remote is None else features(question, remote, local=local)
    times.append(time.thread_time())
    return Question(
        id=example.id,
        source=source,
        article=example.title,
        paragraph=hashlib.sha256(example.context.encode()).hexdigest()[:8],
        answerable=any(answer.strip() for answer in example.answers),
        reader=_prediction(local, local.text, example),
        span=_prediction(local, span, example),
        local_signals=on_local,
        small=None if small is None else _prediction(small, small.text, example),
        remote=None if remote is None else _prediction(remote, remote.text, example),
        remote_signals=own_signals(on_remote),
        signal_seconds=tuple(b - a for a, b in itertools.pairwise(times)),
    )


def _prediction(answer: Answer, text: str | None, example: LabelledQuestion) -> Prediction:
    usage = answer.usage
    return Prediction(
        text=text,
        exact=exact_match(text, example.answers),
        f1=f1(text, example.answers),
        tokens=tuple(map(_token, answer.token_logprobs or ())),
        input_tokens=None if usage is None else usage["input_tokens"],
        output_tokens=None if usage is None else usage["output_tokens"],
        seconds=answer.seconds,
    )


def _token(token: TokenLogprob) -> Token:
    top = [math.exp(value) for _, value in token.top]
    first, second = (*top, 0.0, 0.0)[:2]
    return Token(token=token.token or "", logprob=token.logprob, first=first, second=second)
