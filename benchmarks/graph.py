"""Graphs of imports: which modules are in circles, and the longest chain. A graph has the successors of each node."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet

Graph = Mapping[str, AbstractSet[str]]


def components(graph: Graph) -> list[list[str]]:
    """Return the strongly connected components, each after those that it leads to (Tarjan)."""
    numbers: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        numbers[node] = lowest[node] = len(numbers)
        stack.append(node)
        for following in sorted(graph[node]):
            if following not in numbers:
                visit(following)
            if following in stack:
                lowest[node] = min(lowest[node], lowest[following])
        if lowest[node] == numbers[node]:
            at = stack.index(node)
            found.append(sorted(stack[at:]))
            del stack[at:]

    for node in sorted(graph):
        if node not in numbers:
            visit(node)
    return found


def circles(graph: Graph) -> list[list[str]]:
    """Return the components of more than one node."""
    return [nodes for nodes in components(graph) if len(nodes) > 1]


def longest_chain(graph: Graph) -> list[list[str]]:
    """Return the longest chain, from its top down; a circle is one link of it, with all its nodes."""
    best: dict[str, list[list[str]]] = {}
    for nodes in components(graph):
        below = {after for node in nodes for after in graph[node]} - set(nodes)
        chain = [nodes, *max((best[after] for after in sorted(below)), key=len, default=[])]
        best |= dict.fromkeys(nodes, chain)
    return max((best[node] for node in sorted(best)), key=len, default=[])


def grouped(graph: Graph, group: Callable[[str], str]) -> dict[str, set[str]]:
    """Return the graph of groups of nodes; what is within one group is no edge of it."""
    edges: dict[str, set[str]] = {group(node): set() for node in graph}
    for before, after in _edges(graph):
        if group(before) != group(after):
            edges[group(before)].add(group(after))
    return edges


def limited(graph: Graph, nodes: AbstractSet[str]) -> dict[str, set[str]]:
    """Return the part of a graph that some nodes make."""
    return {node: set(graph[node] & nodes) for node in graph if node in nodes}


def _edges(graph: Graph) -> Iterator[tuple[str, str]]:
    return ((before, after) for before in graph for after in graph[before])
