"""The blueprint `group`: several workers at once on one assignment, together with code of the author's."""

from collections.abc import Iterator
from typing import Any

import attrs
from attrs import validators

from ..structuring import Count, Faults
from .accompanied import AccompaniedBlueprint, AccompaniedOptions
from .author_code import CodeName, Uses
from .contract import Row
from .live_contract import (
    GROUP_SIZE_MAX,
    Fallback,
    GroupDropOut,
    GroupRules,
    LiveRules,
    Policy,
    Waiting,
)
from .rows import RowFault, row_of

_SIZE = (validators.ge(1), validators.le(GROUP_SIZE_MAX))


@attrs.frozen
class GroupOptions(AccompaniedOptions):
    """`[blueprint]` of task.toml. Paths are inside the task's folder."""

    size_min: Count = attrs.field(default=2, validator=[*_SIZE])
    """With how many workers a group may begin when its time to wait is over."""
    size_max: Count = attrs.field(default=2, validator=[*_SIZE])
    """With how many workers a group is full, and begins; so many units are made of each row."""
    waiting: Waiting = attrs.Factory(Waiting)
    drop_out: GroupDropOut = attrs.Factory(GroupDropOut)

    def __attrs_post_init__(self) -> None:
        problems = [*self._size_faults()]
        if problems:
            raise Faults(problems)

    def _size_faults(self) -> Iterator[str]:
        least, most = self.size_min, self.size_max
        if least > most:
            yield f"size_min: {least} is more than {most} (size_max)"
        if least != most:
            return
        never = f"is never possible: a group has {most} workers, no fewer; make size_min smaller"
        fallbacks = self.waiting.fallbacks
        if Fallback.SMALLER in fallbacks and fallbacks != Waiting().fallbacks:
            yield f'waiting.fallbacks: "smaller" {never}'
        for name in ("policy", "otherwise"):
            if getattr(self.drop_out, name) is Policy.GO_ON:
                yield f'drop_out.{name}: "go_on" {never}'


class GroupBlueprint(AccompaniedBlueprint):
    """Workers in groups, with the author's code: `run_assignment(assignment, group)` in task.py."""

    name = "group"
    Options = GroupOptions

    def row_from(self, value: Any) -> Row:
        least, most = self.options.size_min, self.options.size_max
        row = row_of(value, most)
        if not least <= len(row.unit_data) <= most:
            raise RowFault(
                f"'unit_data' is for {len(row.unit_data)} workers; a group has {least} to {most} "
                "(size_min, size_max)"
            )
        return row

    @property
    def live(self) -> LiveRules:
        said: GroupOptions = self.options
        out = said.drop_out
        return LiveRules(
            out.grace_s,
            said.resume,
            said.call_limit_s,
            said.calls_at_once_max,
            GroupRules(said.size_min, said.size_max, said.waiting, out.policy, out.replace_s, out.otherwise),
        )

    def code_faults(self) -> list[str]:
        return [*super().code_faults(), *self._partner_faults()]

    def uses(self) -> Uses:
        needed = {CodeName.RUN_ASSIGNMENT: "which runs for each group"}
        never = self.never_onboarding()
        if sections := self._alone():
            needed[CodeName.RUN_UNIT] = f"for units of [{sections[0]}], which are done alone"
        else:
            never[CodeName.RUN_UNIT] = (
                "only units of [screening] and [gold] are done alone, and task.toml has neither; "
                'delete it, or write type = "live" under [blueprint]'
            )
        if not self._asks_partners():
            never[CodeName.SIMULATED_PARTNER] = (
                'neither blueprint.waiting.fallbacks nor blueprint.drop_out.policy says "simulated"; '
                "let one say so, or delete it"
            )
        return Uses(needed, never)

    def _alone(self) -> list[str]:
        """The sections whose units one worker does alone."""
        config = self.material.config
        return [
            section
            for section in ("screening", "gold")
            if self.has_section(section) and not getattr(getattr(config, section), "use_real_units", False)
        ]

    def _asks_partners(self) -> bool:
        said: GroupOptions = self.options
        return Fallback.SIMULATED in said.waiting.fallbacks or said.drop_out.policy is Policy.SIMULATED

    def _partner_faults(self) -> Iterator[str]:
        """The usual fallbacks do what is possible; who names others means them."""
        if self.play_partner() is not None:
            return
        said: GroupOptions = self.options
        needs = "needs `async def simulated_partner(partner)` in task.py"
        fallbacks = said.waiting.fallbacks
        if Fallback.SIMULATED in fallbacks and fallbacks != Waiting().fallbacks:
            yield f'blueprint.waiting.fallbacks: "simulated" {needs}'
        if said.drop_out.policy is Policy.SIMULATED:
            yield f'blueprint.drop_out.policy: "simulated" {needs}'
