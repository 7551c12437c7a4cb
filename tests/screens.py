"""Handlers that show tokens, as LangChain's `StreamingStdOutCallbackHandler` does."""

from __future__ import annotations

from typing import Any

from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler


class Screen(BaseCallbackHandler):
    def __init__(self) -> None:
        self.shown: list[str] = []

    def on_llm_new_token(self, token: str, **_: Any) -> None:
        self.shown.append(token)


class AsyncScreen(AsyncCallbackHandler):
    def __init__(self) -> None:
        self.shown: list[str] = []

    async def on_llm_new_token(self, token: str, **_: Any) -> None:
        self.shown.append(token)
