"""The server: routes of chains behind OpenAI's form, as an ASGI application.

What a request passes is in `http`, how it is taken and kept in `desk`, the forms in `wire`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any

import orjson

from twosup_chain._secrets import scrub
from twosup_chain.chat._draft import Turn
from twosup_chain.errors import ConfigurationError, MissingExtraError
from twosup_chain.service.build import passages
from twosup_chain.service.day import Today
from twosup_chain.service.decision import Ticket
from twosup_chain.service.desk import Desk
from twosup_chain.service.http import Keys, RefusedError, body_of, error_document, json_response, unless_left
from twosup_chain.service.log import DecisionLog
from twosup_chain.service.metrics import Metrics
from twosup_chain.service.page import status_page
from twosup_chain.service.wire import AnswerRequest, ChatRequest, Pieces, completion, parsed

try:
    from prometheus_client import CONTENT_TYPE_LATEST
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.middleware.cors import CORSMiddleware
    from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
    from starlette.routing import Route as Path
except ImportError:
    raise MissingExtraError("twosup serve", "starlette", "serve") from None

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping

    from starlette.requests import Request

    from twosup_chain.service.config import ServerTable
    from twosup_chain.service.route import Route

_log = logging.getLogger(__name__)

#: What a route is that answers the last message alone.
_ASKS = 'calls no tools and writes no JSON: it asks the last message as a question (chat = "question")'
#: The header by which a reply names its decision.
DECISION = "x-twosup-decision"


class Service:
    """The routes of a server in this process.

    Args:
        routes: By the names that clients call them.
        server: The server's options.
        keys: Who may ask, and who may see how the server fares.
    """

    def __init__(self, routes: Mapping[str, Route], server: ServerTable, keys: Keys | None = None) -> None:
        for name, route in routes.items():
            if route.chat_as is None:
                raise ConfigurationError(
                    f"routes.{name}: the calibration is of questions as /v1/answer asks them, and promises nothing of "
                    '/v1/chat/completions, which hands the models whole conversations: say chat = "question" to ask '
                    'their last message as /v1/answer does, chat = "off", or chat = "conversation" with a calibration '
                    "of records of 'twosup collect --conversation'"
                )
        self.routes = routes
        self.server = server
        self.keys = keys or Keys()
        self.metrics = Metrics()
        self.desks = {name: Desk(route, self.metrics.observe) for name, route in routes.items()}
        self._today = Today(routes.values())
        self.broken: str | None = "the models are being loaded"
        self._created = int(time.time())

    def app(self) -> Starlette:
        """Returns the ASGI application; the models are loaded in the process that runs it."""
        cors = Middleware(CORSMiddleware, allow_origins=self.server.cors, allow_methods=["*"], allow_headers=["*"])
        return Starlette(
            routes=[
                Path("/v1/chat/completions", self._handled(self._chat), methods=["POST"]),
                Path("/v1/answer", self._handled(self._answer), methods=["POST"]),
                Path("/v1/feedback", self._handled(self._feedback, self._anybody), methods=["POST"]),
                Path("/v1/models", self._handled(self._models)),
                Path("/", self._handled(self._status, self._admin)),
                Path("/metrics", self._handled(self._metrics, self._admin)),
                Path("/healthz", self._healthz),
                Path("/readyz", self._readyz),
            ],
            middleware=[cors] if self.server.cors else [],
            lifespan=self._lifespan,
        )

    @asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        loading = asyncio.create_task(self._load())
        try:
            yield
        finally:
            loading.cancel()
            await asyncio.gather(*(desk.aclose(self.server.grace) for desk in self.desks.values()))
            for sink in {id(sink): sink for route in self.routes.values() for sink in route.sinks}.values():
                await sink.aclose()

    async def _load(self) -> None:
        for name, route in self.routes.items():
            try:
                await asyncio.to_thread(route.warm_up)
            except Exception as error:  # noqa: BLE001 (whatever it is, the server says so)
                self.broken = scrub(f"routes.{name}: {error}")
                _log.exception("routes.%s cannot answer", name)
                return
        self.broken = None

    # -- what clients ask ---------------------------------------------------------------------------------------------

    def _handled(
        self, handler: Callable[[Request, Any], Awaitable[Response]], who: Callable[[Request], Any] | None = None
    ) -> Callable[..., Any]:
        """Returns a handler that knows who asks, a caller by default, and whose errors are replies."""

        async def handled(request: Request) -> Response:
            try:
                return await handler(request, (who or self.keys.caller)(request))
            except Exception as error:  # noqa: BLE001 (whatever it is, the caller is told)
                status, document, headers = error_document(error)
                self.metrics.refuse(request.url.path, status)
                if status >= 500:  # noqa: PLR2004
                    _log.warning("%s %s: %s", request.method, request.url.path, document["error"]["message"])
                return json_response(document, status, headers)

        return handled

    async def _chat(self, request: Request, caller: str | None) -> Response:
        asked = parsed(ChatRequest, await body_of(request, self.server.max_body))
        desk = self._desk(asked.model)
        ticket = Ticket(route=asked.model, caller=caller, metadata=asked.metadata)
        if desk.route.chat_as == "off":
            raise RefusedError(404, f"the route {asked.model!r} answers no conversations: ask POST /v1/answer")
        chat, options = _asked(desk.route, asked)
        messages, headers = asked.conversation, {DECISION: ticket.id}
        turn = Turn.of(messages, passages(messages))

        async def whole() -> dict[str, Any]:
            async with desk.request(ticket, turn) as taken:
                message = await chat.ainvoke(messages, taken.config, **options)
            return completion(ticket, message)

        async def streamed() -> AsyncGenerator[dict[str, Any]]:
            pieces = Pieces(ticket, usage=asked.tells_usage)
            async with (
                desk.request(ticket, turn) as taken,
                aclosing(chat.astream(messages, taken.config, **options)) as chunks,
            ):
                async for chunk in chunks:
                    for piece in pieces.of(chunk):
                        yield piece
            for piece in pieces.last:  # once the decision is kept
                yield piece

        if not asked.stream:
            return json_response(await unless_left(request, whole()), headers=headers)
        replies = streamed()
        first = await unless_left(request, anext(replies))
        headers |= {"cache-control": "no-store", "x-accel-buffering": "no"}  # no proxy holds the pieces back
        return StreamingResponse(_events(first, replies), headers=headers, media_type="text/event-stream")

    async def _answer(self, request: Request, caller: str | None) -> Response:
        asked = parsed(AnswerRequest, await body_of(request, self.server.max_body))
        desk = self._desk(asked.model)
        ticket = Ticket(route=asked.model, caller=caller, metadata=asked.metadata)
        document = await unless_left(request, self._answered(desk, ticket, asked))
        return json_response(document, headers={DECISION: ticket.id})

    @staticmethod
    async def _answered(desk: Desk, ticket: Ticket, asked: AnswerRequest) -> dict[str, Any]:
        question = asked.asked
        async with desk.request(ticket, question) as request:
            request.result = result = await desk.route.chain.ainvoke(question, request.config)
        told = result.model_dump(mode="json", exclude={"local", "remote"})
        return {
            "id": ticket.id,
            "object": "twosup.answer",
            "model": ticket.route,
            "text": result.as_text(desk.route.chat.no_answer),
            **told,
        }

    async def _models(self, _request: Request, _caller: str | None) -> Response:
        known = [
            {"id": name, "object": "model", "created": self._created, "owned_by": "twosup"} for name in self.routes
        ]
        return json_response({"object": "list", "data": known})

    def _admin(self, request: Request) -> str | None:
        return self.keys.admin(request, open_to_all=self.server.shows_all)

    def _anybody(self, request: Request) -> tuple[str | None, bool]:
        """Returns who asks, and whether as an admin."""
        try:
            return self.keys.caller(request), False
        except RefusedError:
            return self.keys.admin(request, open_to_all=False), True

    async def _feedback(self, request: Request, who: tuple[str | None, bool]) -> Response:
        """Takes what a caller says of a decision of its own, or an admin of any, or takes it back."""
        fields = await body_of(request, self.server.max_body)
        sinks = (sink for route in self.routes.values() for sink in route.sinks)
        log = next((sink for sink in sinks if isinstance(sink, DecisionLog)), None)
        if log is None:
            raise RefusedError(404, "this server keeps no log: feedback has nothing to be joined to", "not_found_error")
        caller, admin = who
        taken = await log.receive(fields, caller=caller, of_any=admin)
        if isinstance(taken, int):
            return json_response({"object": "twosup.feedback", "revoked": taken})
        return json_response({"object": "twosup.feedback", **taken.model_dump(mode="json")})

    def _desk(self, name: str) -> Desk:
        if name in self.desks:
            return self.desks[name]
        known = ", ".join(sorted(self.desks))
        raise RefusedError(404, f"model {name!r} is no route of this server; there are: {known}", "not_found_error")

    # -- what operators ask -------------------------------------------------------------------------------------------

    async def _status(self, _request: Request, _caller: str | None) -> Response:
        page = await asyncio.to_thread(status_page, self.routes, await self._today.days())
        return HTMLResponse(page, headers={"cache-control": "no-store"})

    async def _metrics(self, _request: Request, _caller: str | None) -> Response:
        text = self.metrics.text(self.desks.values(), await self._today.days())
        return Response(text, media_type=CONTENT_TYPE_LATEST)

    async def _healthz(self, _request: Request) -> Response:
        return PlainTextResponse("ok")

    async def _readyz(self, _request: Request) -> Response:
        ready = self.broken is None and all(route.chain.health().ready for route in self.routes.values())
        return PlainTextResponse("ready" if ready else (self.broken or "a model is not loaded"), 200 if ready else 503)


def _asked(route: Route, asked: ChatRequest) -> tuple[Any, dict[str, Any]]:
    """Returns the chat model that a conversation is for, with its tools, and what it is called with.

    Raises:
        RefusedError: Tools or JSON are asked for, and nobody calls or writes any.
    """
    if (asked.tools or asked.wants_json) and not route.calls_tools:
        said = "has no hosted chat model, to call tools or write JSON" if route.chat_as != "question" else _ASKS
        raise RefusedError(400, f"the route {route.name!r} {said}")
    chat = route.chat.bind_tools(asked.tools, **asked.tool_options) if asked.tools else route.chat
    longest = [most for most in (asked.longest, route.max_tokens) if most is not None]
    return chat, {**asked.options, "max_tokens": min(longest, default=None)}


async def _events(first: dict[str, Any], others: AsyncGenerator[dict[str, Any]]) -> AsyncGenerator[bytes]:
    async with aclosing(others) as replies:
        yield _event(first)
        try:
            async for piece in replies:
                yield _event(piece)
        except Exception as error:  # noqa: BLE001 (the status has been sent: the stream says it)
            yield _event(error_document(error)[1])
        yield b"data: [DONE]\n\n"


def _event(piece: dict[str, Any]) -> bytes:
    return b"data: %b\n\n" % orjson.dumps(piece, default=str)
