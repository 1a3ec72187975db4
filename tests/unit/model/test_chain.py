"""The order of the chain."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from autoctrl.model.chain import chain_order


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_each_workflow_comes_after_those_it_waits_for(seed: int) -> None:
    """Whatever the names, and however the modules were found."""
    dice = Random(seed)
    names = [f"w{n}" for n in range(8)]
    dice.shuffle(names)
    graph = {
        name: [other for other in names[:n] if dice.random() < 0.4] for n, name in enumerate(names)
    }
    shuffled = dict(dice.sample(list(graph.items()), len(graph)))
    order = chain_order(shuffled)
    assert sorted(order) == sorted(names)
    assert all(order.index(after) < order.index(name) for name in names for after in graph[name])
    assert order == chain_order(graph), "the order does not depend on how the modules were found"


def test_workflows_that_are_not_there_do_not_count() -> None:
    """One may wait for a workflow of the parent campaign, or for one that is misspelt."""
    assert chain_order({"b": ["a"], "a": ["elsewhere"]}) == ["a", "b"]


def test_ties_are_broken_by_name() -> None:
    """What has as much before it as another stands in the order of names."""
    after = {"c": ["a"], "a": ["b"], "b": [], "z": []}
    assert chain_order(after) == ["b", "z", "a", "c"]


def test_a_circle_comes_last_in_the_order_of_names() -> None:
    """Its tasks wait for one another with a reason that anybody can read; nothing else stops."""
    after = {"b": ["a"], "a": ["b"], "d": [], "c": ["a"]}
    assert chain_order(after) == ["d", "a", "b", "c"]


def test_a_workflow_that_waits_for_itself_stands_where_it_would_without() -> None:
    """Its own tasks of other runs are no reason to come later."""
    assert chain_order({"a": ["a", "gone"], "b": ["a"]}) == ["a", "b"]
