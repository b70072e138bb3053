"""Planted faults, by name: what a forked daemon or router is made to do wrong, to see that it is found."""

from collections.abc import Callable, Mapping

from .disk_mutants import DISK_MUTANTS

MUTANTS: Mapping[str, Callable[[], None]] = {**DISK_MUTANTS}


def plant(name: str) -> None:
    """Make this process do wrong from here on. KeyError: there is no such fault."""
    MUTANTS[name]()
