"""What a server of the OpenAI form can send, by name: `FAULTS`. Each says what is `right` to make of it."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

#: What becomes of a reply: it is the answer; it says that there is none; it is no answer at all.
Right = Literal["answer", "unanswerable", "error"]
ANSWER = "Ellen Marsh"
#: In seconds; a timer, since a task that waits for nothing is collected as garbage.
_FOR_EVER = 3600.0


@dataclass(frozen=True)
class Asked:
    """A request: its payload, its headers in lower case, the text of a good answer, and how many came before."""

    payload: dict[str, Any]
    headers: dict[str, str]
    text: str
    before: int = 0


# -- bodies: what is sent ----------------------------------------------------------------------------------------------


def logprobs_of(*tokens: tuple[Any, Any]) -> dict[str, Any]:
    return {"content": [{"token": token, "logprob": logprob, "top_logprobs": []} for token, logprob in tokens]}


def _tokens(text: str) -> list[tuple[str, float]]:
    return [(token, -0.2 if n else -0.01) for n, token in enumerate(re.findall(r"\s*\S+", text))]


_LIKELY: Any = object()
_USUAL = {"prompt_tokens": 40, "completion_tokens": 2, "total_tokens": 42}


def completion(
    asked: Asked,
    content: Any = _LIKELY,
    *,
    logprobs: Any = _LIKELY,
    ending: str = "stop",
    usage: Any = _LIKELY,
    model: str = "played",
    **message: Any,
) -> dict[str, Any]:
    """Returns a chat completion, as a server of the OpenAI form writes it."""
    content = asked.text if content is _LIKELY else content
    if logprobs is _LIKELY:
        logprobs = logprobs_of(*_tokens(content)) if isinstance(content, str) and content.strip() else None
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": content, **message},
        "logprobs": logprobs,
        "finish_reason": ending,
    }
    body = {"id": "x", "object": "chat.completion", "created": 1, "model": model, "choices": [choice]}
    return body if usage is None else {**body, "usage": _USUAL if usage is _LIKELY else usage}


def error(asked: Asked, code: str) -> dict[str, Any]:
    return {"error": {"message": f"played: {code}", "type": code, "code": code}}


def events(body: dict[str, Any]) -> list[bytes]:
    """Returns the same completion as the events of a stream, a token each where its tokens are known."""
    if not body.get("choices"):
        return [_event(body), _event("[DONE]")]
    head = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": body["model"]}

    def chunk(delta: dict[str, Any], logprobs: Any = None, ending: str | None = None) -> bytes:
        return _event(head | {"choices": [{"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": ending}]})

    choice = body["choices"][0]
    message, logprobs = choice["message"], choice["logprobs"]
    calls = [{**call, "index": n} for n, call in enumerate(message.get("tool_calls", ()))]
    rows = (logprobs.get("content") if isinstance(logprobs, dict) else None) or []
    sent = [chunk({**message, "content": "", **({"tool_calls": calls} if calls else {})})]
    if rows and "".join(str(row.get("token")) for row in rows) == message["content"]:
        sent += [chunk({"content": row["token"]}, {"content": [row]}) for row in rows]
    else:
        sent.append(chunk({"content": message["content"]}, logprobs))
    sent.append(chunk({}, ending=choice["finish_reason"]))
    if "usage" in body:
        sent.append(_event({**head, "choices": [], "usage": body["usage"]}))
    return [*sent, _event("[DONE]")]


def _event(data: Any) -> bytes:
    return b"data: " + (data if isinstance(data, str) else json.dumps(data)).encode() + b"\n\n"


# -- ways: how it is sent ----------------------------------------------------------------------------------------------


class Cut(Exception):  # noqa: N818 (no error: what is to be done with the connection)
    """The connection ends here."""


class Reset(Cut):
    """It is reset, instead of closed."""


async def _whole(pieces: list[bytes]) -> AsyncIterator[bytes]:
    yield b"".join(pieces)


async def _hang(pieces: list[bytes]) -> AsyncIterator[bytes]:
    await asyncio.sleep(_FOR_EVER)
    yield b""


async def _hang_after_headers(pieces: list[bytes]) -> AsyncIterator[bytes]:
    yield b""
    await asyncio.sleep(_FOR_EVER)


async def _slow_first_byte(pieces: list[bytes]) -> AsyncIterator[bytes]:
    await asyncio.sleep(0.4)
    yield b"".join(pieces)


async def _trickle(pieces: list[bytes]) -> AsyncIterator[bytes]:
    """A byte now and then, for ever: an empty line, which JSON and a stream of events both skip."""
    while True:
        yield b"\n"
        await asyncio.sleep(0.2)


async def _reset_before_headers(pieces: list[bytes]) -> AsyncIterator[bytes]:
    raise Reset
    yield b""


async def _reset_mid_body(pieces: list[bytes]) -> AsyncIterator[bytes]:
    whole = b"".join(pieces)
    yield whole[: len(whole) // 2]
    await asyncio.sleep(0.02)
    raise Reset


async def _closed_mid_body(pieces: list[bytes]) -> AsyncIterator[bytes]:
    whole = b"".join(pieces)
    yield whole[: len(whole) // 2]
    raise Cut


async def _without_end(pieces: list[bytes]) -> AsyncIterator[bytes]:
    """All but the end, and then nothing."""
    yield b"".join(pieces[:-2]) if len(pieces) > 1 else pieces[0][:-1]
    await asyncio.sleep(_FOR_EVER)


async def _with_an_error_event(pieces: list[bytes]) -> AsyncIterator[bytes]:
    failed = {"error": {"message": "played: overloaded", "type": "server_error", "code": "overloaded"}}
    yield b"".join([*pieces[:2], _event(failed)]) if len(pieces) > 1 else json.dumps(failed).encode()


async def _twice_each(pieces: list[bytes]) -> AsyncIterator[bytes]:
    yield b"".join(piece for piece in pieces[:-1] for _ in range(2)) + pieces[-1]


# -- the faults --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Fault:
    """A way to fail, or to answer oddly.

    Args:
        right: What is right to make of it.
        body: The body of the reply: what is JSON becomes events where a stream is asked for; bytes go as they are.
        way: How it is sent.
        status, content_type, headers: What goes before it.
        streamed: What is right where it is streamed, if that is another thing.
    """

    right: Right
    body: Callable[[Asked], dict[str, Any] | bytes] = completion
    way: Callable[[list[bytes]], AsyncIterator[bytes]] = _whole
    status: int | Callable[[Asked], int] = 200
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    streamed: Right | None = None


def _answered(**parts: Any) -> Fault:
    return Fault("answer", partial(completion, **parts))


def _unusable(**parts: Any) -> Fault:
    return Fault("error", partial(completion, **parts))


def _raw(body: bytes, **options: Any) -> Fault:
    return Fault("error", lambda asked: body, **options)


def _status(status: int, code: str, **headers: str) -> Fault:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Fault("error", partial(error, code=code), status=status, headers=named)


def _counted(**usage: Any) -> Fault:
    return _answered(usage={**_USUAL, **usage})


def _echo(asked: Asked) -> dict[str, Any]:
    key = asked.headers.get("authorization", "").removeprefix("Bearer ")
    return error(asked, f"Incorrect API key provided: {key}. Authorization: Bearer {key}; api-key={key}")


def _without_logprobs_only(asked: Asked) -> dict[str, Any]:
    if asked.payload.get("logprobs"):
        return error(asked, "'logprobs' is not supported with this model")
    return completion(asked, logprobs=None)


_CALL = {"id": "1", "type": "function", "function": {"name": "search", "arguments": "{}"}}
_HTML = b"<!doctype html><html><body><h1>502 Bad Gateway</h1>a proxy's page</body></html>"
_GOOD = json.dumps(completion(Asked({}, {}, ANSWER))).encode()

#: Replies that hold an answer.
ANSWERS: dict[str, Fault] = {
    "good": Fault("answer"),
    "no_answer": Fault(
        "unanswerable",
        partial(completion, content="unanswerable", logprobs=logprobs_of(("un", -0.1), ("answerable", -0.3))),
    ),
}

#: Replies that hold an answer, but no evidence in the log-probabilities.
WITHOUT_LOGPROBS: dict[str, Fault] = {
    "missing_logprobs": _answered(logprobs=None),
    "logprobs_of_another_type": _answered(logprobs=[1, 2]),
    "logprobs_without_content": _answered(logprobs={"content": None}),
    "logprobs_without_a_number": _answered(logprobs={"content": [{"token": "Ellen"}]}),
    "logprobs_without_a_token": _answered(logprobs={"content": [{"logprob": -0.1}]}),
    "logprobs_as_strings": _answered(logprobs=logprobs_of(("Ellen", "likely"), (" Marsh", "sure"))),
    "logprobs_of_half_the_reply": _answered(logprobs=logprobs_of(("Ellen", -0.1))),
    "logprobs_null": _answered(logprobs=logprobs_of(("Ellen", None), (" Marsh", None))),
    "logprobs_nan": _answered(logprobs=logprobs_of(("Ellen", float("nan")), (" Marsh", -0.2))),
    "logprobs_positive": _answered(logprobs=logprobs_of(("Ellen", 1.5), (" Marsh", -0.2))),
    "logprobs_of_other_lengths": _answered(
        logprobs={"content": None, "tokens": ["Ellen", " Marsh"], "token_logprobs": [-0.1]}
    ),
}

#: Answers in an odd dress: what is odd must not cost them.
ODD: dict[str, Fault] = {
    "logprobs_refused": Fault(
        "answer", _without_logprobs_only, status=lambda asked: 400 if asked.payload.get("logprobs") else 200
    ),
    "busy_once": Fault(
        "answer",
        lambda asked: completion(asked) if asked.before % 2 else error(asked, "rate_limit_exceeded"),
        status=lambda asked: 200 if asked.before % 2 else 429,
        headers={"retry-after-ms": "1"},
    ),
    "slow_first_byte": Fault("answer", way=_slow_first_byte),
    "usage_missing": _answered(usage=None),
    "usage_null": _counted(prompt_tokens=None, completion_tokens=None, total_tokens=None),
    "usage_negative": _counted(completion_tokens=-7, total_tokens=33),
    "usage_huge": _counted(prompt_tokens=2**70, total_tokens=2**70 + 2),
    "usage_unknown_keys": _counted(
        total_cost=0,
        queue_time=0.25,
        prompt_tokens_details={"cached_tokens": 0, "ephemeral_5m_tokens": 3},
        completion_tokens_details={"flex": 2, "reasoning_tokens": None},
    ),
    "escapes_in_model_name": _answered(model="\x1b]0;owned\x07\x1b[31mred\u202emodel"),
    "reasoning_block": Fault(
        "answer",
        lambda asked: completion(
            asked, f"<think>Is it Ada?</think>{asked.text}", logprobs=None, reasoning_content="Is it Ada?"
        ),
    ),
    # as text of a stream the doubled words are another answer, which a supervisor has to see
    "duplicate_chunks": Fault("answer", way=_twice_each, streamed="error"),
}

#: Replies that are not to be shown as they are, whatever becomes of them.
UNFIT: dict[str, Fault] = {
    "huge_reply": _unusable(content="Marsh and Ellen and " * 100_000, logprobs=None),
    "key_echoed": Fault("error", _echo, status=401),
    # half a letter, which no encoder takes: with what stands in its place it is another answer
    "lone_surrogate": Fault("error", lambda asked: completion(asked, asked.text + "\ud83d", logprobs=None)),
}

#: Everything that must never count as an answer.
FAILURES: dict[str, Fault] = {
    "hang": Fault("error", way=_hang),
    "hang_after_headers": Fault("error", way=_hang_after_headers),
    "trickle": Fault("error", way=_trickle),
    "stream_without_end": Fault("error", way=_without_end),
    "stream_with_an_error_event": Fault("error", way=_with_an_error_event),
    "reset_before_headers": Fault("error", way=_reset_before_headers),
    "reset_mid_body": Fault("error", way=_reset_mid_body),
    "closed_mid_body": Fault("error", way=_closed_mid_body),
    "refused_connection": Fault("error"),
    "bad_request": _status(400, "invalid_request_error"),
    "unauthorized": _status(401, "invalid_api_key"),
    "forbidden": _status(403, "permission_denied"),
    "model_not_found": _status(404, "model_not_found"),
    "rate_limited": _status(429, "rate_limit_exceeded", Retry_After="7"),
    "server_error": _status(500, "server_error"),
    "bad_gateway": _raw(_HTML, status=502, content_type="text/html"),
    "unavailable": _status(503, "service_unavailable"),
    "gateway_timeout": _raw(b"", status=504, content_type="text/plain"),
    "empty_body": _raw(b""),
    "truncated_json": _raw(_GOOD[: len(_GOOD) // 2]),
    "invalid_json": _raw(b"{'choices': [nonsense}"),
    "not_json": _raw(b"<html>a proxy's page</html>", content_type="text/html"),
    "binary": _raw(bytes(range(256)), content_type="application/octet-stream"),
    "no_choices": Fault("error", lambda asked: {"object": "chat.completion", "choices": []}),
    "error_in_200": Fault("error", lambda asked: {"error": {"message": "played: out of memory"}}),
    "empty_content": _unusable(content=""),
    "blank_content": _unusable(content=" \n"),
    "null_content": _unusable(content=None),
    "number_content": _unusable(content=1874),
    "image_content": _unusable(content=[{"type": "image_url", "image_url": {"url": "data:,"}}]),
    "refusal": _unusable(content=None, refusal="I cannot help with that."),
    "content_filter": _unusable(content="Ellen", ending="content_filter"),
    "tool_call": _unusable(content=None, ending="tool_calls", tool_calls=[_CALL]),
}

FAULTS = ANSWERS | WITHOUT_LOGPROBS | ODD | UNFIT | FAILURES
#: Those that never end by themselves.
ENDLESS = frozenset({"hang", "hang_after_headers", "trickle", "stream_without_end"})
