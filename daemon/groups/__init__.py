"""What becomes of groups: while they form, and when somebody leaves them. Pure: decides, and does no I/O."""

from .drop_out import DropOutStep, EndForAll, GoOn, Loss, Member, Replace, Seek, drop_out
from .estimate import ARRIVALS_KEPT, expected_s
from .forming import Ask, Close, Fill, Forming, Leave, SendAway, Start, Step, Wait, Waiter, form
from .rules import Fallback, GroupRules, Policy, WaitingRules

__all__ = [
    "ARRIVALS_KEPT",
    "Ask",
    "Close",
    "DropOutStep",
    "EndForAll",
    "Fallback",
    "Fill",
    "Forming",
    "GoOn",
    "GroupRules",
    "Leave",
    "Loss",
    "Member",
    "Policy",
    "Replace",
    "Seek",
    "SendAway",
    "Start",
    "Step",
    "Wait",
    "Waiter",
    "WaitingRules",
    "drop_out",
    "expected_s",
    "form",
]
