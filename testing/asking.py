"""Asking until there is an answer, as `crowdd.js` does: the same words again, pauses, patience; all noted."""

import hashlib
import random
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

import trio

from ..protocol.documents import canonical_json
from ..protocol.names import Reason
from .doors import Doors
from .history import GAVE_UP, LOST, TRY_LATER, History, Operation, agent_key, answer_digest
from .verdicts import Answered, Verdict

ANSWER_WITHIN_S = 45.0  # the router answers a registration, or says "later", within 30
SUBMIT_WITHIN_S = 90.0  # it may hold a submission for 60
ONBOARD_WITHIN_S = 45.0  # as a registration, which it ends with
PAUSE_S_MAX = 30.0
DOUBLINGS_MAX = 5


class WentHome(Exception):
    """The worker stops: nothing more to do here, or nobody answers."""


class Asker:
    """The requests of one page, each repeated until it is taken or refused. Raises WentHome, nothing else."""

    def __init__(
        self,
        name: str,
        doors: Doors,
        history: History,
        rng: random.Random,
        unreachable_s_max: float,
        pause_s_max: float = PAUSE_S_MAX,
        haste: float = 1.0,
    ) -> None:
        """`haste`: how many times sooner than crowdd.js it asks again."""
        self.name = name
        self._doors = doors
        self._history = history
        self._rng = rng
        self._unreachable_s_max = unreachable_s_max
        self._pause_s_max = pause_s_max
        self._haste = haste
        self._unreachable_since: float | None = None

    async def register(self, after: str) -> Answered:
        """Ask for this link's unit; OK or REFUSED."""
        body = {"provider_data": self._doors.registration(after)}
        for tries in count():
            call = self._history.invoke(
                self.name, Operation.REGISTER, link=self._doors.link, after=agent_key(after)
            )
            answered = await self._ask(call, "request_agent", body, ANSWER_WITHIN_S)
            if answered.verdict is not Verdict.LATER:
                return answered
            await self._pause(tries, answered)
        raise AssertionError

    async def submit_onboarding(self, agent: str, answer: Any) -> Answered:
        """Hand in the onboarding; the answer is the first unit, or a refusal."""
        body = {"provider_data": {"USED_AGENT_ID": agent, "onboarding_data": answer}}
        key, digest = agent_key(agent), answer_digest(canonical_json(answer))
        for tries in count():
            call = self._history.invoke(self.name, Operation.ONBOARD, agent=key, digest=digest)
            answered = await self._ask(call, "submit_onboarding", body, ONBOARD_WITHIN_S)
            if answered.verdict is not Verdict.LATER:
                return answered
            await self._pause(tries, answered)
        raise AssertionError

    async def submit(self, agent: str, answer: Any, after: str, files: Sequence[bytes] = ()) -> Answered:
        """Hand in the final answer."""
        body = {"USED_AGENT_ID": agent, "final_data": answer}
        return await self._deliver("submit_task", Operation.SUBMIT, body, answer, after, files)

    async def say(self, agent: str, metadata: Any, after: str) -> Answered:
        """Say something beside the answer."""
        body = {"USED_AGENT_ID": agent, "metadata": metadata}
        return await self._deliver("submit_metadata", Operation.METADATA, body, metadata, after)

    async def give_back(self, agent: str, after: str) -> Answered:
        """Give the unit back."""
        return await self._deliver("return_unit", Operation.RETURN, {"USED_AGENT_ID": agent}, None, after)

    async def report_error(self, agent: str, error: Any) -> None:
        """Report an error of the page, once."""
        await self._doors.post("log_error", {"USED_AGENT_ID": agent, "error_data": error}, ANSWER_WITHIN_S)

    async def _deliver(
        self,
        path: str,
        operation: Operation,
        body: Mapping[str, Any],
        content: Any,
        after: str,
        files: Sequence[bytes] = (),
    ) -> Answered:
        agent, named = agent_key(body["USED_AGENT_ID"]), [hashlib.sha256(file).hexdigest() for file in files]
        digest = answer_digest(canonical_json(content), named) if content is not None else ""
        for tries in count():
            call = self._history.invoke(self.name, operation, agent=agent, digest=digest)
            answered = await self._ask(call, path, body, SUBMIT_WITHIN_S, files)
            if answered.verdict is not Verdict.LATER:
                return answered
            await self._pause(tries, answered)
            if answered.reason == Reason.SHUTDOWN.value:
                await self.register(after)  # the agent has to come back before it may go on
        raise AssertionError

    async def _pause(self, tries: int, answered: Answered) -> None:
        pause_s = pause_before(tries, answered.retry_after_s, self._rng, self._pause_s_max)
        await trio.sleep(pause_s / self._haste)

    async def _ask(
        self, call: str, path: str, body: Mapping[str, Any], within_s: float, files: Sequence[bytes] = ()
    ) -> Answered:
        try:
            answered = await self._doors.post(path, body, within_s, files)
        except BaseException:  # cancelled, alone or in a group: the page was closed or went on
            self._history.unknown(call, GAVE_UP)
            raise
        self._note(call, answered)
        return answered

    def _note(self, call: str, answered: Answered) -> None:
        match answered.verdict:
            case Verdict.OK:
                self._history.ok(call, agent_key(answered.agent_id), answered.finished)
            case Verdict.REFUSED:
                self._history.refused(call, answered.reason, answered.status)
            case Verdict.LATER if self._patience_is_over(answered):
                self._history.unknown(call, GAVE_UP)
                raise WentHome
            case Verdict.LATER:
                self._history.unknown(call, TRY_LATER if answered.reachable else LOST)

    def _patience_is_over(self, answered: Answered) -> bool:
        now = trio.current_time()
        if answered.reachable or self._unreachable_since is None:
            self._unreachable_since = None if answered.reachable else now
            return False
        return now - self._unreachable_since > self._unreachable_s_max


def pause_before(
    tries: int, retry_after_s: float | None, rng: random.Random, longest_s: float = PAUSE_S_MAX
) -> float:
    """How long a page waits before it asks again: as told, else twice as long each time."""
    if retry_after_s is not None:
        return max(1.0, retry_after_s)
    return min(longest_s, 2.0 ** min(tries, DOUBLINGS_MAX)) * rng.uniform(0.75, 1.25)
