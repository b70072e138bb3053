"""Planted faults, by name: what a forked daemon or router is made to do wrong, to see that it is found."""

from collections.abc import Callable, Mapping

MUTANTS: Mapping[str, Callable[[], None]] = {}


def plant(name: str) -> None:
    """Make this process do wrong from here on. KeyError: there is no such fault."""
    MUTANTS[name]()
