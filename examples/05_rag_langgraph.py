"""RAG in LangGraph: the supervised answer is a node, its status decides where the graph goes on.

    pip install 'twosup-chain[agents]' wordllama
    python examples/05_rag_langgraph.py

Where nobody can be trusted with three passages, the graph widens the search once, and then leaves it open.
"""

from typing import TypedDict

from langchain_core.documents import Document
from langgraph.graph import END, START, StateGraph
from local_search import demo_retriever

from twosup_chain import ExtractiveReader, Supervisor, TwoSupervisorChain, TwoSupervisorResult

chain = TwoSupervisorChain(local=ExtractiveReader(), local_supervisor=Supervisor("answerability", threshold=0.7))
FEW, MANY = 3, 8
retriever = demo_retriever(k=MANY)


class State(TypedDict, total=False):
    """What the nodes know."""

    question: str
    width: int
    documents: list[Document]
    result: TwoSupervisorResult


def retrieve(state: State) -> State:
    """Searches: three passages at first, eight the second time."""
    width = MANY if state.get("width") else FEW
    return {"width": width, "documents": retriever.invoke(state["question"])[:width]}


def answer(state: State) -> State:
    """Reads all passages together."""
    return {"result": chain.invoke({"question": state["question"], "context": state["documents"]})}


def enough(state: State) -> str:
    """Goes on searching while nobody is trusted."""
    return "retrieve" if state["result"].status == "untrusted" and state["width"] < MANY else END


graph = StateGraph(State)
graph.add_node(retrieve).add_node(answer)
graph.add_edge(START, "retrieve").add_edge("retrieve", "answer").add_conditional_edges(
    "answer", enough, ["retrieve", END]
)
app = graph.compile()

for question in ("Which harbour master opens the sill's gate?", "Who painted the ceiling of the opera house?"):
    state = app.invoke({"question": question})
    result = state["result"]
    print(f"{question}\n  {result.as_text('(left open)')}  [{result.status}, {state['width']} passages read]")
    print("".join(f"  cited: {c.metadata['title']}, characters {c.start}-{c.end}\n" for c in result.citations), end="")
