"""What an XML element may hold, and how one is read: unknown things are told, defaults are added,
what is empty is dropped, and the order becomes the server's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple
from xml.etree.ElementTree import Element, SubElement

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Leaf(NamedTuple):
    """Text. Without it the default is written, unless that is None."""

    default: str | None = None
    check: Callable[[str], str] | None = None  # says what is wrong, or nothing
    is_required: bool = False


class Block(NamedTuple):
    """Fields by name, in the order in which the server writes them."""

    fields: Mapping[str, Shape]
    plugin: str = ""


class Classed(NamedTuple):
    """An element whose attribute ``class`` says which fields it has."""

    classes: Mapping[str, Block]
    default: str = ""


class Listing(NamedTuple):
    """Elements in a row, each called by its class; as a set each may be there once, and the server
    sorts them. ``marks`` is the list's own class, which must be sent if it is not optional.
    """

    members: Mapping[str, Block | Leaf]
    is_set: bool = False
    marks: str = ""
    is_mark_optional: bool = False


class Ignored(NamedTuple):
    """An element that the server drops, with nothing inside; it may have ``attributes``."""

    attributes: frozenset[str] = frozenset({"class", "reference"})


Shape = Leaf | Block | Classed | Listing | Ignored


def plain(text: str) -> str:
    """Accept everything."""
    del text
    return ""


def flag(text: str) -> str:
    """Accept ``true`` and ``false``: the real server takes everything else for false."""
    return "" if text in ("true", "false") else f"{text!r} is neither true nor false"


def integer(text: str) -> str:
    """Accept a whole number."""
    return "" if text.lstrip("-").isdigit() else f"{text!r} is no number"


def one_of(*values: str) -> Callable[[str], str]:
    """Accept certain values."""
    return lambda text: "" if text in values else f"{text!r} is none of {', '.join(values)}"


@dataclass
class Reading:
    """Reads an element by its shape and collects what is wrong with it."""

    version: str = "7"
    problems: list[str] = field(default_factory=list)

    def read(self, found: Element, shape: Shape, where: str) -> Element | None:
        """Return the element as the server keeps it; nothing if it is empty."""
        allowed = _attributes_of(shape)
        for name in found.attrib.keys() - {"plugin"}:
            if name not in allowed:
                self.problems.append(f"{where}: the attribute {name} is unknown")
        match shape:
            case Leaf():
                return self._leaf(found, shape, where)
            case Block():
                return self._block(found, shape, where)
            case Classed():
                return self._classed(found, shape, where)
            case Listing():
                return self._listing(found, shape, where)
        if len(found) or (found.text or "").strip():
            self.problems.append(f"{where}: it must be empty")
        return None

    def _leaf(self, found: Element, shape: Leaf, where: str) -> Element | None:
        for child in found:
            self.problems.append(f"{where}/{child.tag}: the element is unknown")
        text = found.text or ""
        problem = shape.check(text.strip()) if shape.check and text.strip() else ""
        if problem:
            self.problems.append(f"{where}: {problem}")
        text = text.strip() if shape.check else text
        return _leaf_of(found.tag, text or shape.default or "")

    def _block(self, found: Element, shape: Block, where: str, kind: str = "") -> Element | None:
        made = Element(found.tag, {"class": kind} if kind else {})
        if shape.plugin:
            made.set("plugin", f"{shape.plugin}@{self.version}")
        self._check_text(found, where)
        seen: dict[str, Element] = {}
        for child in found:
            if child.tag not in shape.fields:
                self.problems.append(f"{where}/{child.tag}: the element is unknown")
            elif child.tag in seen:
                self.problems.append(f"{where}/{child.tag}: the element is there twice")
            else:
                seen[child.tag] = child
        for name, inner in shape.fields.items():
            kept = self._field(seen.get(name), name, inner, where)
            if kept is not None:
                made.append(kept)
        return made

    def _field(self, found: Element | None, name: str, shape: Shape, where: str) -> Element | None:
        """Return a field that was sent, or its default."""
        if found is not None:
            return self.read(found, shape, f"{where}/{name}")
        if isinstance(shape, Leaf):
            if shape.is_required:
                self.problems.append(f"{where}/{name}: the element is missing")
            return _leaf_of(name, shape.default or "")
        if isinstance(shape, Classed) and shape.default:
            return self._block(Element(name), shape.classes[shape.default], where, shape.default)
        return None

    def _classed(self, found: Element, shape: Classed, where: str) -> Element | None:
        kind = found.get("class", shape.default)
        if kind not in shape.classes:
            self.problems.append(f"{where}: the class {kind!r} is unknown")
            return None
        return self._block(found, shape.classes[kind], where, kind)

    def _listing(self, found: Element, shape: Listing, where: str) -> Element | None:
        if found.get("class", shape.marks if shape.is_mark_optional else "") != shape.marks:
            self.problems.append(f"{where}: its class must be {shape.marks!r}")
        self._check_text(found, where)
        made = Element(found.tag, {"class": shape.marks} if shape.marks else {})
        for child in found:
            if child.tag not in shape.members:
                self.problems.append(f"{where}/{child.tag}: the class is unknown")
                continue
            if shape.is_set and made.find(child.tag) is not None:
                self.problems.append(f"{where}/{child.tag}: the element is there twice")
                continue
            kept = self.read(child, shape.members[child.tag], f"{where}/{child.tag}")
            made.append(Element(child.tag) if kept is None else kept)
        if shape.is_set:
            made[:] = sorted(made, key=lambda member: member.tag)
        return made if len(made) else None

    def _check_text(self, found: Element, where: str) -> None:
        texts = [found.text, *(child.tail for child in found)]
        if any(text and text.strip() for text in texts):
            self.problems.append(f"{where}: there is text between the elements")


def _attributes_of(shape: Shape) -> frozenset[str]:
    """Return the attributes that an element may have."""
    if isinstance(shape, Ignored):
        return shape.attributes
    is_classed = isinstance(shape, Classed) or (isinstance(shape, Listing) and bool(shape.marks))
    return frozenset({"class"} if is_classed else ())


def _leaf_of(name: str, text: str) -> Element | None:
    """Return an element with a text, or nothing if that is empty."""
    if not text:
        return None
    made = Element(name)
    made.text = text
    return made


def put(parent: Element, path: str, text: str = "") -> Element:
    """Make the elements of a path where they are missing, set the last one's text; return it."""
    for name in path.split("/"):
        inner = parent.find(name)
        parent = SubElement(parent, name) if inner is None else inner
    parent.text = text or None
    return parent
