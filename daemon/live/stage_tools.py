"""What a stage is given to carry on live work with."""

from collections.abc import Awaitable, Callable

import attrs

from ...protocol.names import AgentId, Reason
from ...storage.records import Agent, OnboardingAgent
from ..blueprints.contract import Blueprint
from ..blueprints.live_contract import LiveRules
from ..house import House
from ..user_code import UserCode
from .cast import Cast


@attrs.frozen
class StageTools:
    """One per stage; its parts take of it what they need."""

    house: House
    cast: Cast
    blueprint: Blueprint
    rules: LiveRules
    user_code: UserCode
    failed: Callable[[str, BaseException, AgentId | None], Awaitable[None]]
    """Keep an error of the author's code for `crowdctl errors`."""
    tell: Callable[[Agent | OnboardingAgent, Reason | None], None]
    """Say an agent's status, as it is stored, to its page."""
    active: Callable[[], None]
    """Somebody said something: the run's patience begins anew."""
