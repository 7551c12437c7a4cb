"""The graph of imports: no circle, no arrow against the floors; an import that only types or is lazy counts as any."""

from __future__ import annotations

import ast
import tomllib
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from collections.abc import Set as AbstractSet

PROJECT = Path(__file__).parents[2] / "pyproject.toml"
PACKAGE = PROJECT.parent / "twosup_chain"


def contracts() -> list[dict[str, Any]]:
    """Returns the contracts of imports, which import-linter holds in CI."""
    found: list[dict[str, Any]] = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    return [contract for contract in found if contract["type"] in ("layers", "acyclic_siblings")]


def floors() -> dict[str, int]:
    """Returns the floor of each room, from the top, as the contract of imports has them."""
    (layers,) = (contract["layers"] for contract in contracts() if contract["type"] == "layers")
    return {room.strip(): floor for floor, names in enumerate(layers) for room in names.split(":")}


def to_be_cut() -> set[tuple[str, ...]]:
    """Returns the imports that the contracts of floors and circles still pass over."""
    lines = [line for contract in contracts() for line in contract.get("ignore_imports", ())]
    return {tuple(line.split(" -> ")) for line in lines}


def module_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(module: str) -> str:
    return module.split(".")[1]


def imported(tree: ast.AST, modules: AbstractSet[str]) -> Iterator[str]:
    """Yields which of the modules a file imports, wherever in it the import stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are written in full"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield from {whole if whole in modules else str(node.module)} & modules
        elif isinstance(node, ast.Import):
            yield from {alias.name for alias in node.names} & modules


@pytest.fixture(scope="module")
def files() -> dict[str, set[str]]:
    """Which files each file imports, by module; the package's own, which lists the public names, aside."""
    paths = {module_of(path): path for path in PACKAGE.rglob("*.py")}
    del paths["twosup_chain"]
    trees = {module: ast.parse(path.read_text(encoding="utf-8")) for module, path in paths.items()}
    known = to_be_cut()
    return {
        module: {other for other in imported(tree, paths.keys()) if other != module and (module, other) not in known}
        for module, tree in trees.items()
    }


@pytest.fixture(scope="module")
def rooms(files: dict[str, set[str]]) -> dict[str, set[str]]:
    """Which rooms each room imports."""
    graph: dict[str, set[str]] = {}
    for module, others in files.items():
        graph.setdefault(room_of(module), set()).update({room_of(other) for other in others} - {room_of(module)})
    return graph


def circle(graph: Mapping[str, set[str]]) -> list[str]:
    """Returns the names along a circle; none, where there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_file_imports_itself_by_way_of_others(files) -> None:
    assert circle(files) == []


def test_no_room_imports_itself_by_way_of_others(rooms) -> None:
    assert circle(rooms) == []


def test_every_room_has_a_floor_and_imports_nothing_from_above(files) -> None:
    floor = floors()
    assert {room_of(module) for module in files} == set(floor)
    upwards = [
        f"{module} -> {other}"
        for module, others in files.items()
        for other in others
        if floor[room_of(other)] < floor[room_of(module)]
    ]
    assert upwards == []


def test_every_way_of_importing_counts() -> None:
    source = """
import a.b
if TYPE_CHECKING:
    from a import c
def later():
    from a.d import name
"""
    assert set(imported(ast.parse(source), {"a.b", "a.c", "a.d"})) == {"a.b", "a.c", "a.d"}


def test_a_circle_is_found_and_named() -> None:
    found = circle({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": set()})
    assert {*pairwise(found)} == {("a", "c"), ("c", "b"), ("b", "a")}
    assert circle({"a": {"b"}, "b": set()}) == []


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=module_of)
def test_no_file_is_longer_than_400_lines(path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
