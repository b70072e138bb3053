"""Personal links: for whom they are made, and taking them back."""

from typing import Annotated, NotRequired, TypedDict

from ..limits import LINKS_MAX, NAME_CHARACTERS_MAX

WorkerName = Annotated[str, {"minLength": 1, "maxLength": NAME_CHARACTERS_MAX}]


class LinkView(TypedDict):
    """A worker's personal address."""

    worker_name: str
    url: str


class LinksView(TypedDict):
    """Personal addresses, in the order of the workers."""

    links: list[LinkView]


class NamedLinksBody(TypedDict):
    """For whom: the same name is the same person."""

    workers: Annotated[list[WorkerName], {"minItems": 1, "maxItems": LINKS_MAX}]


class NewLinksBody(TypedDict):
    """For how many workers who have no names yet."""

    count: Annotated[int, {"minimum": 1, "maximum": LINKS_MAX}]


class RevokeBody(TypedDict):
    """The link as it was given, or only what it carries. `now`: who works by it loses the unit."""

    link: Annotated[str, {"minLength": 1}]
    now: NotRequired[bool]


class RevokeOfBody(TypedDict):
    """Whose link to the run. `now`: who works by it loses the unit."""

    worker: WorkerName
    now: NotRequired[bool]


class RevokedLinkView(TypedDict):
    """A personal link that is refused from now on.

    `already`: it was before. `at_work`: so many agents hold a unit by it, still; from `ended` it was taken.
    """

    run: str
    worker_name: str
    already: bool
    at_work: int
    ended: int
