"""No clock that was handed in is asked under the writers' turn.

A test server's clock answers from its own event loop, which may itself be waiting for that turn: a dead end until the
turn is given up. Looked for in the source, through functions of ours that ask one.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent.parent
PLACES = ("activities", "channels", "records", "starter", "trackers")
CLOCKS = frozenset({"clock", "_clock"})

Name = tuple[str, str]
"""A module and a function in it."""


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of ours by its dotted name, and those beside the packages."""
    paths = [*HERE.glob("*.py"), *(path for place in PLACES for path in (HERE / place).rglob("*.py"))]
    return {".".join(path.relative_to(HERE).with_suffix("").parts): ast.parse(path.read_text()) for path in paths}


def called(module: str, node: ast.AST) -> Iterator[tuple[Name, int]]:
    """What is called inside: functions and methods of the module's own, what it imports, and clocks."""
    imported = {
        name.asname or name.name: (one.module or "", name.name)
        for one in ast.walk(modules()[module])
        if isinstance(one, ast.ImportFrom)
        for name in one.names
    }
    for call in ast.walk(node):
        match call:
            case ast.Call(func=ast.Name(id=name)):
                yield imported.get(name, (module, name)), call.lineno
            case ast.Call(func=ast.Attribute(value=ast.Name(id=holder), attr=name)) if holder in imported:
                yield (".".join(imported[holder]), name), call.lineno
            case ast.Call(func=ast.Attribute(value=ast.Name(id="self"), attr=name)):
                yield (module, name), call.lineno
            case ast.Call(func=ast.Attribute(attr=name)) if name in CLOCKS:
                yield (module, name), call.lineno


@cache
def asking() -> frozenset[Name]:
    """The functions that ask a clock, themselves or by calling one that does."""
    calls = {
        (module, one.name): {name for name, _line in called(module, one)}
        for module, tree in modules().items()
        for one in ast.walk(tree)
        if isinstance(one, ast.FunctionDef)
    }
    found = {name for name, inside in calls.items() if any(one in CLOCKS for _module, one in inside)}
    while more := {name for name, inside in calls.items() if inside & found} - found:
        found |= more
    return frozenset(found)


def is_turn(node: ast.AST) -> bool:
    """Whether a statement holds the writers' turn: `with ....write() as ...`."""
    return isinstance(node, ast.With) and any(
        isinstance(item.context_expr, ast.Call)
        and isinstance(item.context_expr.func, ast.Attribute)
        and item.context_expr.func.attr == "write"
        for item in node.items
    )


def test_no_clock_is_asked_under_the_writers_turn() -> None:
    turns = [(module, node) for module, tree in modules().items() for node in ast.walk(tree) if is_turn(node)]
    assert len(turns) > 100, "the turns of this house are found"
    late = {
        f"{module}:{line} {name}"
        for module, turn in turns
        for (where, name), line in called(module, turn)
        if name in CLOCKS or (where, name) in asking()
    }
    assert sorted(late) == []
