"""A page that code of the author's accompanies: what `live`, `group` and `remote_procedure` share."""

import abc
from collections.abc import Callable, Mapping
from typing import Any

import attrs
from attrs import validators

from ...protocol.names import PieceKind
from ..structuring import Count, Seconds
from .author_code import PIECES, AuthorCode, CodeName, Uses, code_faults, code_of, code_warnings
from .contract import Material
from .live_contract import CALL_LIMIT_MIN_S, CALLS_AT_ONCE_MAX, LiveRules, Play, Resume
from .paged import PagedBlueprint, PagedOptions

CALL_LIMIT = validators.ge(CALL_LIMIT_MIN_S)
CALLS_AT_ONCE = (validators.ge(1), validators.le(CALLS_AT_ONCE_MAX))


@attrs.frozen
class AccompaniedOptions(PagedOptions):
    """`[blueprint]` of task.toml. Paths are inside the task's folder."""

    resume: Resume = Resume.REPLAY
    """What becomes of work in progress when the daemon was restarted: its code goes on, or it ends."""
    call_limit_s: Seconds = attrs.field(default=30.0, validator=CALL_LIMIT)
    """How long a function that a page calls may take; then the page is told that it failed."""
    calls_at_once_max: Count = attrs.field(default=8, validator=[*CALLS_AT_ONCE])
    """How many calls of one worker run at once; more wait."""


class AccompaniedBlueprint(PagedBlueprint):
    """Its code is in task.py, or in a class of task.py that extends it, as methods of the same names."""

    Options = AccompaniedOptions

    def __init__(self, options: Any, material: Material) -> None:
        super().__init__(options, material)
        self._code: AuthorCode = code_of(self)

    @property
    @abc.abstractmethod
    def live(self) -> LiveRules:
        """The rules of its live work."""

    @abc.abstractmethod
    def uses(self) -> Uses:
        """What it calls of the author's code."""

    def code_faults(self) -> list[str]:
        return code_faults(self._code, self.uses())

    def warnings(self) -> list[str]:
        return [*code_warnings(self._code, self.uses()), *super().warnings()]

    def play(self, kind: PieceKind) -> Play | None:
        found: Play | None = self._code.play(PIECES[kind])
        return found

    def named_functions(self) -> Mapping[str, Callable[..., Any]]:
        return self._code.functions()

    def play_partner(self) -> Play | None:
        found: Play | None = self._code.play(CodeName.SIMULATED_PARTNER)
        return found

    def has_section(self, section: str) -> bool:
        """Whether task.toml has this section."""
        return getattr(self.material.config, section, None) is not None

    def never_onboarding(self) -> dict[CodeName, str]:
        """`run_onboarding`, where nobody is onboarded."""
        if self.has_section("onboarding"):
            return {}
        return {
            CodeName.RUN_ONBOARDING: "task.toml has no [onboarding]; add the section or delete the function"
        }
