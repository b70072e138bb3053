"""Who may work on what, and why: facts and rules in, a decision out. Pure: asks for what it does not know."""

from .decisions import (
    Ask,
    Decision,
    Onboard,
    Outcome,
    Question,
    Refuse,
    Reserve,
    Special,
    SpecialKind,
    outcome_of,
)
from .explain import ADMISSION, explain
from .facts import (
    PAGE_UNITS_MAX,
    PAGES_MAX,
    ROUNDS_MAX,
    UNIT_HOOKS,
    Answers,
    Facts,
    Hook,
    Item,
    Page,
    Rules,
    Standing,
    StorageSaid,
    named,
)
from .gold import GoldCounts, GoldRules
from .limits import WorkerLimits
from .orders import Order, OrderFault, priority_rank, random_rank
from .record import FactsUnreadable, from_json, to_json
from .requirements import Comparator, Requirement, RequirementFault, unknown_names
from .returning import Last, Return, returning
from .screening import ScreeningRules
from .table import TABLE, Row, Step, decide, row_of

__all__ = [
    "ADMISSION",
    "PAGES_MAX",
    "PAGE_UNITS_MAX",
    "ROUNDS_MAX",
    "TABLE",
    "UNIT_HOOKS",
    "Answers",
    "Ask",
    "Comparator",
    "Decision",
    "Facts",
    "FactsUnreadable",
    "GoldCounts",
    "GoldRules",
    "Hook",
    "Item",
    "Last",
    "Onboard",
    "Order",
    "OrderFault",
    "Outcome",
    "Page",
    "Question",
    "Refuse",
    "Requirement",
    "RequirementFault",
    "Reserve",
    "Return",
    "Row",
    "Rules",
    "ScreeningRules",
    "Special",
    "SpecialKind",
    "Standing",
    "Step",
    "StorageSaid",
    "WorkerLimits",
    "decide",
    "explain",
    "from_json",
    "named",
    "outcome_of",
    "priority_rank",
    "random_rank",
    "returning",
    "row_of",
    "to_json",
    "unknown_names",
]
