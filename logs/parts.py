"""The parts of crowdd that log, by names people use, and how much each says. Knows no line's form."""

import logging
from collections.abc import Iterable, Mapping
from typing import NamedTuple

LEVELS = ("debug", "info", "warning", "error")
DEFAULT_LEVEL = "info"
ALL = "all"
OURS = "crowdd"
"""The logger above all of ours; whatever is not under it is a library, and heard from `warning` on."""


class Part(NamedTuple):
    """A name in the tree of loggers, and what is said there."""

    logger: str
    meaning: str


PARTS: Mapping[str, Part] = {
    ALL: Part("crowdd", "everything below"),
    "daemon": Part("crowdd.daemon", "the daemon, with its parts, control and links"),
    "daemon.service": Part("crowdd.daemon.service", "start, signals, end"),
    "daemon.operator": Part("crowdd.daemon.operator", "which runs are held, and why one is not"),
    "daemon.live_run": Part("crowdd.daemon.live_run", "a run as a whole"),
    "daemon.supply": Part("crowdd.daemon.supply", "units on offer, and failures to offer them"),
    "daemon.provider_news": Part(
        "crowdd.daemon.provider_news", "what a crowd provider says, and its failures"
    ),
    "daemon.launcher": Part("crowdd.daemon.launcher", "rows becoming units"),
    "daemon.worker_pool": Part("crowdd.daemon.worker_pool", "workers let in and refused"),
    "daemon.task_runner": Part("crowdd.daemon.task_runner", "statuses of agents"),
    "daemon.intake": Part("crowdd.daemon.intake", "answers stored"),
    "daemon.client_io": Part("crowdd.daemon.client_io", "every request of a page"),
    "daemon.architects": Part("crowdd.daemon.architects", "starts and ends of local routers"),
    "control": Part("crowdd.daemon.control", "what staff and programs ask of the daemon"),
    "links": Part("crowdd.daemon.router_link", "links between daemon and routers"),
    "storage": Part("crowdd.storage", "the store"),
    "router": Part("crowdd.router", "a router, with its parts"),
    "router.links": Part("crowdd.router.link_door", "daemons that link, or are refused"),
    "router.desk": Part("crowdd.router.desk", "one run at its router"),
    "router.runs": Part("crowdd.router.runs", "runs deployed and taken off"),
}


class UnknownName(ValueError):
    """There is no such part or level; `hint` has the nearest name."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind = kind
        self.message = f"There is no {kind} {name!r}."
        self.hint = _nearest(name, list(known))
        super().__init__(f"{self.message} {self.hint}")


def _nearest(name: str, known: list[str]) -> str:
    import difflib  # slow to import, and rarely needed

    close = difflib.get_close_matches(name, known, n=1)
    return f"Did you mean {close[0]!r}?" if close else f"Known: {', '.join(known)}."


def read_levels(words: Iterable[str]) -> dict[str, str]:
    """What `["info", "daemon.intake=debug"]` asks for, by part; the later word wins. UnknownName."""
    asked = {ALL: DEFAULT_LEVEL}
    for word in words:
        part, _, level = word.rpartition("=")
        asked[check_part(part or ALL)] = check_level(level)
    return asked


def check_part(name: str) -> str:
    """The name of a part; UnknownName."""
    if name not in PARTS:
        raise UnknownName("part", name, PARTS)
    return name


def check_level(name: str) -> str:
    """The name of a level; UnknownName."""
    if name not in LEVELS:
        raise UnknownName("level", name, LEVELS)
    return name


def set_levels(levels: Mapping[str, str]) -> None:
    """Let every (checked) part say so much, the wider parts first."""
    for part in sorted(levels, key=lambda part: PARTS[part].logger.count(".")):
        set_level(part, levels[part])


def set_level(part: str, level: str) -> None:
    """Let a (checked) part say so much from now on, with all that is below it."""
    logger = PARTS[part].logger
    for below in PARTS.values():
        if below.logger.startswith(f"{logger}."):
            logging.getLogger(below.logger).setLevel(logging.NOTSET)
    logging.getLogger(logger).setLevel(level.upper())


def level_of(part: str) -> str:
    """How much a (checked) part says now."""
    return logging.getLevelName(logging.getLogger(PARTS[part].logger).getEffectiveLevel()).lower()


def levels_now() -> list[str]:
    """What `read_levels` reads as the levels of now."""
    levels = {part: logging.getLogger(PARTS[part].logger).level for part in PARTS}
    return [f"{part}={logging.getLevelName(level).lower()}" for part, level in levels.items() if level]


def part_of(logger: str) -> str:
    """The part that a logger belongs to; a library's logger is called as it is."""
    while logger not in _PART_OF and "." in logger and logger.startswith(f"{OURS}."):
        logger = logger.rpartition(".")[0]
    return _PART_OF.get(logger, logger)


_PART_OF = {part.logger: name for name, part in PARTS.items()} | {OURS: OURS}
