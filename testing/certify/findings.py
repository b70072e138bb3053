"""What a campaign is told to do, and what it hands back. Knows no campaign."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import attrs


@attrs.frozen
class Plan:
    """What one call of `crowdd certify` asks for."""

    folder: Path
    """Where everything is kept while it runs; each campaign makes folders of its own in it."""
    seed: int = 1
    cycles: int = 200
    """Of kills, in all."""
    real: int = 10
    """So many of the starts are by exec, as a service's are; the others are forks of a zygote."""
    every_syscall: bool = False
    power_cuts: int = 0
    plant: str = ""
    """The name of a planted fault, see `mutants`; "" for none."""
    lanes: int = 2
    """Scenes at the same time."""


@attrs.frozen
class Finding:
    """One promise that did not hold: which, and the command that does the same again."""

    campaign: str
    words: str
    repeat: str


@attrs.frozen
class CampaignResult:
    """What one campaign did and found."""

    name: str
    cycles: int
    operations: Mapping[str, int] = attrs.Factory(dict[str, int])
    """How many of each kind were answered definitely."""
    violations: Sequence[Finding] = ()
    first_answers_ms: Sequence[float] = ()
    """From each start to the first definite answer that a client had."""
    notes: Sequence[str] = ()
    """What a reader should know: how it was done, what could not be."""
    took_s: float = 0.0


class Progress(Protocol):
    """Is told how far a campaign is."""

    def __call__(self, campaign: str, done: int, of: int, words: str = "") -> None: ...
