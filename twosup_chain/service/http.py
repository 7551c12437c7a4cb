"""What every request passes: its caller's key, the size of its body, the form of an error, whether it is left."""

from __future__ import annotations

import asyncio
import base64
import hmac
import os
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from twosup_chain._secrets import LEAST_SECRET, scrub
from twosup_chain.errors import ConfigurationError, DeadlineError, InputError, MissingExtraError, TwosupError
from twosup_chain.service.admission import BusyError
from twosup_chain.service.log import UnknownDecisionError

try:
    from starlette.responses import Response
except ImportError:
    raise MissingExtraError("twosup serve", "starlette", "serve") from None

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

    from starlette.requests import Request

    from twosup_chain.service.config import ServerTable


#: How long a body may take to come, in seconds.
PATIENCE = 30.0


class RefusedError(TwosupError):
    """A request that is not taken, with the status and the headers that say so."""

    def __init__(self, status: int, message: str, kind: str = "invalid_request_error", **headers: str) -> None:
        self.status = status
        self.kind = kind
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        super().__init__(message)


class LeftError(TwosupError):
    """The caller has left before there was a reply."""


@dataclass(frozen=True, repr=False)
class Keys:
    """The keys of a server by the names of who holds them: callers, and admins; without callers, nobody needs one."""

    callers: Mapping[str, bytes] = field(default_factory=dict)
    admins: Mapping[str, bytes] = field(default_factory=dict)

    @classmethod
    def of(cls, server: ServerTable) -> Keys:
        """Returns the keys, from the environment.

        Raises:
            ConfigurationError: One is not set, too short to be a key, or both a caller's and an admin's.
        """
        found = {name: _keys(name, getattr(server, name)) for name in ("callers", "admin_keys")}
        callers, admins = found.values()
        for name, key in admins.items():
            if key in callers.values():
                raise ConfigurationError(f"server.admin_keys.{name} has the key of a caller: give it one of its own")
        return cls(callers, admins)

    def caller(self, request: Request) -> str | None:
        """Returns who asks; ``None`` where nobody needs a key.

        Raises:
            RefusedError: It is no caller's key.
        """
        return _holder(request, self.callers) if self.callers else None

    def admin(self, request: Request, *, open_to_all: bool) -> str | None:
        """Returns which admin asks; ``None`` where none needs a key.

        Raises:
            RefusedError: It is no admin's key, or there are none.
        """
        if self.admins:
            return _holder(request, self.admins)
        if open_to_all:
            return None
        raise RefusedError(403, "this is for admins: give some a key ([server] admin_keys)", "permission_error")


def _keys(option: str, variables: Mapping[str, str]) -> dict[str, bytes]:
    keys = {name: os.environ.get(variable, "").strip().encode() for name, variable in variables.items()}
    for name, key in keys.items():
        if len(key) < LEAST_SECRET:
            raise ConfigurationError(
                f"server.{option}.{name}: set {variables[name]} in the environment to a key of at least {LEAST_SECRET} "
                "characters"
            )
    return keys


def _holder(request: Request, keys: Mapping[str, bytes]) -> str:
    """Returns whose key a request brings, as a bearer's or, as browsers send it, as a password."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        with suppress(ValueError):
            given = base64.b64decode(given).decode(errors="replace").partition(":")[2]
    found = [name for name, key in keys.items() if hmac.compare_digest(key, given.strip().encode())]
    if found:
        return found[0]
    raise RefusedError(
        401, "this needs a key: send it as 'Authorization: Bearer …'", "authentication_error", www_authenticate="Basic"
    )


async def body_of(request: Request, most: int) -> Any:
    """Returns the JSON of a request.

    Raises:
        RefusedError: It is too long, too slow, or not declared as JSON.
        InputError: It is no JSON.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise RefusedError(415, "send the body as application/json")
    body = bytearray()
    try:
        async with asyncio.timeout(PATIENCE):
            async for part in request.stream():
                body += part
                if len(body) > most:
                    said = f"the body is longer than {most:,} bytes: send less, or raise server.max_body"
                    raise RefusedError(413, said)
    except TimeoutError:
        raise RefusedError(408, f"the body did not come within {PATIENCE:g} s") from None
    try:
        return orjson.loads(bytes(body))
    except orjson.JSONDecodeError as error:
        raise InputError(f"the body is no JSON: {error}") from None


async def unless_left(request: Request, work: Coroutine[Any, Any, Any]) -> Any:
    """Returns what the work returns; cancels it where the caller leaves.

    Raises:
        LeftError: The caller has left.
    """
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise LeftError
    finally:
        gone.cancel()
        if not task.done():
            task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await task


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def json_response(document: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Returns a reply in JSON; what is no number becomes null."""
    return Response(orjson.dumps(document, default=str), status, dict(headers or {}), "application/json")


def error_document(error: Exception) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Returns status, document in OpenAI's form and headers for an error."""
    status, kind, headers = 500, "internal_error", {}
    if isinstance(error, RefusedError):
        status, kind, headers = error.status, error.kind, error.headers
    elif isinstance(error, UnknownDecisionError):
        status, kind = 404, "not_found_error"
    elif isinstance(error, InputError):
        status, kind = 400, "invalid_request_error"
    elif isinstance(error, BusyError):
        status, kind, headers = 503, "overloaded_error", {"retry-after": str(error.retry_after)}
    elif isinstance(error, DeadlineError):
        status, kind = 504, "deadline_error"
    elif hasattr(error, "__notes__"):  # which the chain adds where it was the hosted model
        status, kind = 502, "remote_error"
    elif isinstance(error, LeftError):
        status, kind = 499, "client_error"
    elif isinstance(error, (ConfigurationError, ImportError)):
        status, kind = 500, "configuration_error"
    said = str(error) if isinstance(error, TwosupError) else f"{type(error).__name__}: {error}"
    return status, {"error": {"message": scrub(said), "type": kind, "param": None, "code": status}}, headers
