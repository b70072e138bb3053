"""What becomes of a group that is forming: who is asked, who starts, who is sent away. Pure.

All times are seconds on the caller's clock. The caller carries out one step, looks at the seats again, and
asks again, until it is told to wait. So everybody who waits has a definite end: a start, or being sent away,
at the latest `ask_s` after their own limit.
"""

from collections.abc import Sequence

import attrs

from ...protocol.names import AgentId, UnitId
from .rules import Fallback, GroupRules


@attrs.frozen
class Waiter:
    """Somebody in a seat, before the start."""

    agent_id: AgentId
    until: float
    """How long they may be kept waiting."""
    present: bool
    """Whether a page of theirs is there; always so for a simulated partner."""
    heard: float
    """When they last gave a sign of their own: they came, or answered "still there?"."""
    asked: float | None = None
    """When they were asked, while the answer is open."""
    simulated: bool = False


@attrs.frozen
class Wait:
    """Nothing is to be done before something changes, or until then."""

    until: float | None


@attrs.frozen
class Ask:
    """Ask these whether they are still there; they have so long to answer."""

    agents: Sequence[AgentId]
    until: float


@attrs.frozen
class Leave:
    """These are not there (any more): their seats become free."""

    agents: Sequence[AgentId]


@attrs.frozen
class SendAway:
    """These waited for as long as they may, and in vain."""

    agents: Sequence[AgentId]


@attrs.frozen
class Fill:
    """Put simulated partners into these free seats."""

    units: Sequence[UnitId]


@attrs.frozen
class Start:
    """The group starts with these; who is `behind` is not there, and the `free` seats are not needed."""

    agents: Sequence[AgentId]
    behind: Sequence[AgentId]
    free: Sequence[UnitId]


@attrs.frozen
class Close:
    """The group can never be large enough any more: nobody is to come to these free seats."""

    free: Sequence[UnitId]


Step = Wait | Ask | Leave | SendAway | Fill | Start | Close


@attrs.frozen
class Forming:
    """A group before its start, as it is."""

    waiters: Sequence[Waiter]
    """Those in seats, the first seat first."""
    free: Sequence[UnitId]
    """The seats that somebody can still take. One that is neither taken nor free is gone for good."""
    size: int
    """How many seats there were."""

    @property
    def here(self) -> list[Waiter]:
        """Those who could start now."""
        return [waiter for waiter in self.waiters if waiter.present]

    @property
    def away(self) -> list[Waiter]:
        """Those who hold a seat and are not here."""
        return [waiter for waiter in self.waiters if not waiter.present]

    @property
    def humans(self) -> list[Waiter]:
        """Those for whom the group is there."""
        return [waiter for waiter in self.waiters if not waiter.simulated]

    @property
    def capacity(self) -> int:
        """How many it can become."""
        return len(self.waiters) + len(self.free)


def form(group: Forming, rules: GroupRules, now: float, partner: bool) -> Step:
    """The next step; `partner`: simulated partners can be had now."""
    least = least_of(group, rules)
    if not group.humans:
        return _without_anybody(group, least)
    lost = [waiter for waiter in group.humans if _is_lost(group, waiter, rules, now)]
    if lost:
        return Leave(_ids(lost))
    if len(group.here) == group.capacity >= least:
        return _gathered(group, rules, now) or _start(group)
    over = [w for w in group.humans if w.present and (w.until <= now or group.capacity < least)]
    if over:
        return _fallen_back(group, rules, now, over, partner)
    return Wait(min([*_answers_due(group, rules), *(waiter.until for waiter in group.humans)]))


def _without_anybody(group: Forming, least: int) -> Step:
    if group.waiters:
        return Leave(_ids(group.waiters))
    return Close(group.free) if group.free and group.capacity < least else Wait(None)


def least_of(group: Forming, rules: GroupRules) -> int:
    """How many a group must be, at the least, to start."""
    return rules.size_min if Fallback.SMALLER in rules.waiting.fallbacks else group.size


def _is_lost(group: Forming, waiter: Waiter, rules: GroupRules, now: float) -> bool:
    """Did not answer in time, or is away when their time is over."""
    if waiter.asked is not None and now >= _answer_until(group, waiter.asked, rules):
        return True
    return not waiter.present and waiter.until <= now


def _fallen_back(
    group: Forming, rules: GroupRules, now: float, over: Sequence[Waiter], partner: bool
) -> Step:
    """Somebody's time is over: the first of the declared fallbacks that is possible."""
    wanted = group.size
    for fallback in rules.waiting.fallbacks:
        missing = wanted - len(group.here)
        match fallback:
            case Fallback.SMALLER if len(group.here) >= rules.size_min:
                return _gathered(group, rules, now) or _start(group)
            case Fallback.SMALLER:
                wanted = rules.size_min
            case Fallback.SIMULATED if partner and 0 < missing <= len(group.free) + len(group.away):
                return _gathered(group, rules, now) or _fill(group, missing)
            case Fallback.SIMULATED:
                pass
            case Fallback.SEND_AWAY:
                break
    return SendAway(_ids(over))


def _gathered(group: Forming, rules: GroupRules, now: float) -> Step | None:
    """Nobody starts who was not heard of lately. None: all who are here were.

    Also asked is who would be silent for too long by the end of the roll call: so one is enough.
    """
    lately_s = max(rules.waiting.ask_after_s, rules.waiting.ask_s)
    here = [waiter for waiter in group.here if not waiter.simulated]
    if any(waiter.asked is not None for waiter in here):
        return Wait(min(_answers_due(group, rules)))
    silent = [waiter for waiter in here if waiter.heard + lately_s < now]
    if not silent:
        return None
    until = _answer_until(group, now, rules)
    if until <= now:  # the time of another was over before these came back: too late to ask
        return Leave(_ids(silent))
    return Ask(_ids([waiter for waiter in here if waiter.heard + lately_s < until]), until)


def _answer_until(group: Forming, asked: float, rules: GroupRules) -> float:
    """Until when an answer counts: nobody's wait is made longer than `ask_s` by questions to others."""
    here = [waiter.until for waiter in group.here]
    return min([asked, *here]) + rules.waiting.ask_s


def _answers_due(group: Forming, rules: GroupRules) -> list[float]:
    return [_answer_until(group, w.asked, rules) for w in group.humans if w.asked is not None]


def _start(group: Forming) -> Start:
    return Start(_ids(group.here), _ids(group.away), group.free)


def _fill(group: Forming, missing: int) -> Fill | Leave:
    """Seats of who is away are needed where there are not enough free ones."""
    return Fill(group.free[:missing]) if missing <= len(group.free) else Leave(_ids(group.away))


def _ids(waiters: Sequence[Waiter]) -> list[AgentId]:
    return [waiter.agent_id for waiter in waiters]
