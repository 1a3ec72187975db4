"""How far the objects of a bucket have been counted: a value that grows page by page. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class BucketCount(NamedTuple):
    """A count under way, and the last one that was whole.

    where          what is counted; a count of something else is worth nothing
    token          where to go on, empty at the beginning
    used           bytes counted so far
    objects        objects counted so far
    whole_used     bytes of the last whole count, None before the first
    whole_objects  objects of it, None likewise
    whole_at       when that was, seconds since 1970
    """

    where: str
    token: str = ""
    used: int = 0
    objects: int = 0
    whole_used: int | None = None
    whole_objects: int | None = None
    whole_at: float = 0.0

    def is_due(self, now: float, again_s: float) -> bool:
        """Say whether there is something to count: no whole count yet, one under way, or an old
        one.
        """
        is_resting = self.whole_used is not None and not self.token
        return not is_resting or not 0 <= now - self.whole_at < again_s

    def with_page(self, sizes: list[int], token: str, now: float) -> BucketCount:
        """Return the count after one more page; without a ``token`` it is whole."""
        used, objects = self.used + sum(sizes), self.objects + len(sizes)
        if token:
            return self._replace(token=token, used=used, objects=objects)
        return BucketCount(self.where, whole_used=used, whole_objects=objects, whole_at=now)

    def begun_again(self) -> BucketCount:
        """Return the count from its beginning, for a server that no longer knows where it was."""
        return self._replace(token="", used=0, objects=0)


def read_count(values: Mapping[str, Any] | None, where: str) -> BucketCount:
    """Return the count that was kept, or one at its beginning if that is of something else."""
    if values is None or values.get("where") != where:
        return BucketCount(where)
    return BucketCount(**{name: values[name] for name in BucketCount._fields if name in values})
