"""What a page makes of an HTTP answer: done, not now, or no. Pure; the same rules as `crowdd.js`."""

import enum
from collections.abc import Mapping
from typing import Any, cast

import attrs

PASSING = frozenset({408, 425, 429})  # these and 5xx say nothing definite


class Verdict(enum.Enum):
    """The same request again may succeed only after LATER."""

    OK = "ok"
    LATER = "later"
    REFUSED = "refused"


@attrs.frozen
class Answered:
    """One answer of the router, or the lack of one."""

    verdict: Verdict
    told: Mapping[str, Any] = attrs.Factory(dict[str, Any])
    """The body's fields, those inside `data` among them."""
    retry_after_s: float | None = None
    reachable: bool = True

    @property
    def reason(self) -> str:
        """Why not, as a `Reason` value; "" when none was said."""
        return str(self.told.get("reason") or "")

    @property
    def agent_id(self) -> str:
        """The agent of a registration, "" for none."""
        return str(self.told.get("agent_id") or "")

    @property
    def finished(self) -> bool:
        """This link has done its last unit; `agent_id` says which."""
        return bool(self.told.get("finished"))

    @property
    def status(self) -> str:
        """The agent's status, "" when none was said."""
        return str(self.told.get("status") or "")


UNREACHABLE = Answered(Verdict.LATER, reachable=False)


def judge(path: str, code: int, body: Any, retry_after: str | None) -> Answered:
    """Weigh an answer to a POST; what only a proxy or log-in page would say counts as unreachable."""
    told = _told(body)
    retry_s = _seconds(retry_after if retry_after is not None else told.get("retry_after_s"))
    if code >= 500 or code in PASSING:
        return Answered(Verdict.LATER, told, retry_s)
    if not 200 <= code < 300:
        # A finished link is told so with the status of a refusal; to the page it is an answer like any other.
        return Answered(Verdict.OK if told.get("finished") else Verdict.REFUSED, told)
    if not _is_ours(path, told):
        return UNREACHABLE
    if "agent_id" in told and told["agent_id"] is None:
        return Answered(Verdict.REFUSED if retry_s is None else Verdict.LATER, told, retry_s)
    return Answered(Verdict.OK, told)


def _told(body: Any) -> dict[str, Any]:
    fields = cast(dict[str, Any], body) if isinstance(body, dict) else {}
    data = fields.get("data")
    return {**fields, **cast(dict[str, Any], data)} if isinstance(data, dict) else fields


_PROOFS = {
    "submit_task": "Submitted!",
    "submit_metadata": "Submitted metadata",
    "return_unit": "Returned",
}


def _is_ours(path: str, told: Mapping[str, Any]) -> bool:
    if path in _PROOFS:
        return told.get("status") == _PROOFS[path]
    return "agent_id" in told if path in ("request_agent", "submit_onboarding") else True


def _seconds(value: Any) -> float | None:
    try:
        return max(0.0, float(value))
    except (TypeError, ValueError):
        return None
