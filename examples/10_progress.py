"""Progress: which part is at work, as it happens, then the result; in a terminal, and as server-sent events (SSE).

In the terminal:   python examples/10_progress.py
Over HTTP:   pip install uvicorn && uvicorn --app-dir examples --lifespan off 10_progress:app; curl -N localhost:8000
"""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from langchain_core.callbacks import AsyncCallbackHandler
from langchain_core.runnables import RunnableLambda

from twosup_chain import ExtractiveReader, QAInput, Supervisor, TwoSupervisorChain

STEPS = {"local": "reading …", "local_supervisor": "can that be trusted?", "remote": "no: asking the hosted model …"}
ASKED = QAInput("Who paid for the repairs?", "The roof was repaired in 2019. The Friends of the Library paid for it.")


class Progress(asyncio.Queue[Any], AsyncCallbackHandler):
    """LangChain tells it which part begins; a draft is never shown, and no word of an answer before it is trusted."""

    async def on_chain_start(self, *_: Any, name: str = "", **__: Any) -> None:
        """Passes on the name of the part."""
        if name in STEPS:
            self.put_nowait({"step": name, "says": STEPS[name]})


async def progress(chain: TwoSupervisorChain, asked: QAInput) -> AsyncIterator[dict[str, Any]]:
    """Yields the steps as they begin, and last the result."""
    events = Progress()
    call = asyncio.create_task(chain.ainvoke(asked, {"callbacks": [events]}))
    call.add_done_callback(lambda _: events.put_nowait(None))
    while (event := await events.get()) is not None:
        yield event
    yield {"answer": (result := await call).answer, "status": result.status, "source": result.source}


async def app(_scope: Any, _receive: Any, send: Any) -> None:
    """Sends the same to a browser (ASGI)."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    async for event in progress(chain, ASKED):
        await send({"type": "http.response.body", "body": f"data: {json.dumps(event)}\n\n".encode(), "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def show() -> None:
    """Prints a line for each."""
    async for event in progress(chain, ASKED):
        print(event.get("says") or "{answer}  [{status}, {source}]".format(**event), flush=True)


hosted = RunnableLambda(lambda _: "The Friends of the Library")  # in a hosted model's place: no key is needed
sure = Supervisor("answerability", threshold=0.999)  # so high that the hosted model is asked
judge = Supervisor("in_context", threshold=0.5)
chain = TwoSupervisorChain(local=ExtractiveReader(), local_supervisor=sure, remote=hosted, remote_supervisor=judge)
if __name__ == "__main__":
    asyncio.run(show())
