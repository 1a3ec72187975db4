"""JSON as the server exports it: ``tree=`` chooses fields, ``depth=`` says how far it goes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.fakes.jenkins.core import Core

TOKEN = re.compile(r"[\w$-]+|[\[\],]|\{\d*,?\d*\}")


@dataclass(frozen=True)
class Bean:
    """Something that is exported: its class, its fields, which are computed when they are asked
    for, the fields that show it inside of something else, and those that only a tree shows. An
    inline bean is as whole as what it lies in.
    """

    kind: str
    fields: Mapping[str, Callable[[], Any]]
    brief: tuple[str, ...]
    on_demand: frozenset[str] = frozenset()
    is_inline: bool = False


@dataclass
class Tree:
    """The fields that were asked for, each with those inside of it and the range of a list."""

    fields: dict[str, Tree]
    first: int = 0
    last: int | None = None


class Exporter:
    """Turns beans into JSON. ``known`` are the fields that the contract knows beyond a bean's own:
    to ask for any other is a violation, for the real server is silent about it.
    """

    def __init__(self, core: Core) -> None:
        self.core = core
        self.known: set[str] = set()

    def export(self, bean: Bean, query: Mapping[str, str]) -> Any:
        """Return what a request with these parameters is answered."""
        if "tree" in query:
            return self._choose(bean, parse_tree(self.core, query["tree"]))
        return self._whole(bean, int(query.get("depth") or 0))

    def _choose(self, value: Any, tree: Tree) -> Any:
        """Return the fields of a value that a tree names."""
        if isinstance(value, list):
            return [self._choose(one, tree) for one in value[tree.first : tree.last]]
        if isinstance(value, Bean):
            chosen = {"_class": value.kind}
            for name, inner in tree.fields.items():
                if name in value.fields:
                    chosen[name] = self._choose(value.fields[name](), inner)
                elif name not in self.known:
                    self.core.violate(f"tree: a {value.kind} has no field {name}")
            return chosen
        if isinstance(value, dict):
            marks = {name: value[name] for name in ("_class",) if name in value}
            inside = {name: one for name, one in tree.fields.items() if name in value}
            return marks | {name: self._choose(value[name], one) for name, one in inside.items()}
        return value

    def _whole(self, value: Any, depth: int) -> Any:
        """Return a value with all its fields, and what lies inside in brief."""
        if isinstance(value, list):
            return [self._whole(one, depth) for one in value]
        if isinstance(value, dict):
            return {name: self._whole(one, depth) for name, one in value.items()}
        if not isinstance(value, Bean):
            return value
        depth += value.is_inline
        names = value.brief if depth < 0 else value.fields.keys() - value.on_demand
        shown = {name: value.fields[name]() for name in sorted(names)}
        return {"_class": value.kind} | {
            name: self._whole(inner, depth - 1) for name, inner in shown.items()
        }


def parse_tree(core: Core, text: str) -> Tree:
    """Read ``a,b[c,d]{0,10}``; what is broken is a violation."""
    tokens = TOKEN.findall(text.replace("%5B", "[").replace("%5D", "]"))
    root = Tree({})
    stack, last = [root], root
    for piece in tokens:
        if piece == "[":
            stack.append(last)
        elif piece == "]" and len(stack) > 1:
            last = stack.pop()
        elif piece.startswith("{"):
            low, _, high = piece.strip("{}").partition(",")
            last.first, last.last = int(low or 0), int(high) if high else None
        elif piece not in (",", "]"):
            last = stack[-1].fields.setdefault(piece, Tree({}))
    if "".join(tokens) != text or len(stack) != 1:
        core.violate(f"tree: {text!r} is broken")
    return root
