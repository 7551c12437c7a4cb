"""A chain as a picture: its parts, and what leads from one to the next."""

from langchain_core.runnables import Runnable
from langchain_core.runnables.graph import Graph, Node

from twosup_chain.schema import QAInput, TwoSupervisorResult


def graph_of(parts: dict[str, Runnable[object, object] | str | None]) -> Graph:
    """Returns the graph of a chain.

    Args:
        parts: ``local``, ``local_supervisor`` and, where there are any, ``remote``, ``remote_supervisor`` and
            ``fallback``.
    """
    graph = Graph()
    start = graph.add_node(QAInput, id="question")
    nodes = {name: graph.add_node(part, id=name) for name, part in parts.items() if isinstance(part, Runnable)}
    end = graph.add_node(TwoSupervisorResult, id="result")

    def lead(source: Node, target: Node, why: str | None = None) -> None:
        graph.add_edge(source, target, why, conditional=why is not None)

    lead(start, nodes["local"])
    roles = [role for role in ("local", "remote") if role in nodes]
    for role, after in zip(roles, [*roles[1:], "fallback"], strict=True):
        judge = nodes[f"{role}_supervisor"]
        lead(nodes[role], judge)
        lead(judge, end, "trusted")
        lead(judge, nodes.get(after, end), "not trusted")
    if "fallback" in nodes:
        lead(nodes["fallback"], end)
    return graph
