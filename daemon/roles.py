"""Staff and their roles: what a role covers, who has which. Asks the system for users and groups only."""

import enum
import grp
import os
import pwd
from collections.abc import Iterator, Sequence
from typing import Annotated, Protocol

import attrs

from .options import EXAMPLE, LIVE

GROUP = "@"
Names = Annotated[tuple[str, ...], "names", 'list of users, and of groups as "@group"']


class Role(enum.Enum):
    """What staff may do; each covers those before it."""

    NONE = "none"
    VIEW = "view"
    """Look at everything, answers included; change nothing."""
    OPERATE = "operate"
    """Let workers in and keep them out, pause and stop runs."""
    PAY = "pay"
    """Whatever costs money, cannot be undone, or runs code as the daemon: launching, reviewing, deleting."""

    def covers(self, other: "Role") -> bool:
        """Whether who has this role may do what needs the other."""
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(other)


@attrs.frozen
class RolesConfig:
    """Who may do what through the control socket. The daemon's own user and root may do everything."""

    view: Names = attrs.field(default=(), metadata={LIVE: True, EXAMPLE: ["@readers"]})
    """Who may look at everything, answers included, and change nothing."""
    operate: Names = attrs.field(default=(), metadata={LIVE: True, EXAMPLE: ["ann", "@lab"]})
    """Who may, besides, make links, grant and block, pause and stop runs."""
    pay: Names = attrs.field(default=(), metadata={LIVE: True, EXAMPLE: ["bob"]})
    """Who may, besides, launch (a task's code runs as the daemon), extend, review and delete."""
    others: Role = attrs.field(default=Role.VIEW, metadata={LIVE: True})
    """What everybody else may do whom the file system lets connect: the members of the socket's group."""

    def named(self) -> Iterator[tuple[Role, str]]:
        """Every name with its role."""
        for role, names in ((Role.VIEW, self.view), (Role.OPERATE, self.operate), (Role.PAY, self.pay)):
            for name in names:
                yield role, name


class Person(Protocol):
    """Whom the kernel says that it is."""

    @property
    def uid(self) -> int: ...
    @property
    def groups(self) -> frozenset[int]: ...


@attrs.frozen
class _Known:
    """The roles of users and groups by number."""

    users: dict[int, Role]
    groups: dict[int, Role]
    others: Role
    unknown: tuple[str, ...]


class Staff:
    """Who has which role at present; `take_up` replaces it whole."""

    def __init__(self, config: RolesConfig) -> None:
        self._known = _look_up(config)

    def take_up(self, config: RolesConfig) -> Sequence[str]:
        """From now on this holds, also for who is connected. Returns what is wrong with it, in words."""
        self._known = _look_up(config)
        return self.unknown

    @property
    def unknown(self) -> Sequence[str]:
        """Names that nobody on this machine has: they give nobody a role."""
        return self._known.unknown

    def role_of(self, person: Person) -> Role:
        """The highest role that the person was named for; who was not named has that of the others."""
        if person.uid in (0, os.geteuid()):
            return Role.PAY
        known = self._known
        roles = [known.users[person.uid]] if person.uid in known.users else []
        roles += [known.groups[group] for group in person.groups if group in known.groups]
        return max(roles, key=list(Role).index, default=known.others)


def _look_up(config: RolesConfig) -> _Known:
    users: dict[int, Role] = {}
    groups: dict[int, Role] = {}
    unknown: list[str] = []
    for role, name in config.named():  # from the least to the most: the most stays
        try:
            if name.startswith(GROUP):
                groups[grp.getgrnam(name.removeprefix(GROUP)).gr_gid] = role
            else:
                users[pwd.getpwnam(name).pw_uid] = role
        except KeyError:
            kind = "group" if name.startswith(GROUP) else "user"
            unknown.append(
                f"roles.{role.value}: there is no {kind} {name.removeprefix(GROUP)!r} on this machine: "
                "nobody has the role by this name"
            )
    return _Known(users, groups, config.others, tuple(unknown))
