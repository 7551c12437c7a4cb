"""An agent whose final messages are supervised: the local reader answers from what a tool found, if it can be trusted.

    pip install 'twosup-chain[agents,openai]' wordllama
    python examples/06_agent.py http://127.0.0.1:8000/v1

Any OpenAI-compatible server will do; the key, if it wants one, is read from OPENAI_API_KEY. The hosted model decides on
tools, and writes the answer only where the reader is not trusted; then its message is judged by what the reader makes
of it in the same passages. The decision is in the agent's state.
"""

import os
import sys
from typing import Any

from langchain.agents import create_agent
from langchain.agents.middleware import ModelRequest, wrap_model_call
from langchain.tools import ToolRuntime, tool
from langchain_core.documents import Document
from langchain_openai import ChatOpenAI
from local_search import demo_retriever

from twosup_chain import ExtractiveReader, Supervisor, TwoSupervisorMiddleware

retriever = demo_retriever(k=2)


@tool(response_format="content_and_artifact")
def search_handbook(runtime: ToolRuntime) -> tuple[str, list[Document]]:
    """Searches the handbook for the user's question."""
    found = retriever.invoke(next(m.text for m in reversed(runtime.state["messages"]) if m.type == "human"))
    return "\n\n".join(document.page_content for document in found), found


@wrap_model_call
def search_first(request: ModelRequest, handler: Any) -> Any:
    """Makes even a small model search before it answers."""
    searched = request.messages[-1].type == "tool"
    return handler(request.override(tools=[]) if searched else request.override(tool_choice="search_handbook"))


reader = ExtractiveReader()
supervised = TwoSupervisorMiddleware(
    local=reader,
    local_supervisor=Supervisor("answerability", threshold=0.7),
    remote_supervisor=Supervisor("grounded", threshold=0.5),
    no_answer="The handbook does not say.",
)
key = os.environ.get("OPENAI_API_KEY", "none")
model = ChatOpenAI(model="hosted", base_url=sys.argv[1], api_key=key, temperature=0, extra_body={"max_tokens": 48})
agent = create_agent(model, tools=[search_handbook], middleware=[supervised, search_first])

for question in ("Which harbour master opens the sill's gate?", "Who painted the ceiling of the opera house?"):
    state = agent.invoke({"messages": [{"role": "user", "content": question}]})
    decision, answer = state["twosup"], state["messages"][-1].text
    print(f"{question}\n  {answer}  [{decision['status']}, {decision['source']}]\n  {decision['reason']}")
