"""What a router's word about an agent means (reference 3.7)."""

import pytest

from crowdd.daemon.lifecycle.sync import AWAY, PRESENT, Sync, sync
from crowdd.protocol.names import LIVE_AGENT, AgentStatus

S = AgentStatus


@pytest.mark.parametrize("status", AgentStatus)
def test_a_page_that_shows_more_than_its_agent_still_is_gets_corrected(status: AgentStatus) -> None:
    assert sync(PRESENT, status) is (Sync.NOTHING if status in LIVE_AGENT else Sync.CORRECT)


@pytest.mark.parametrize("status", AgentStatus)
@pytest.mark.parametrize("reported", [AWAY, "disconnect", "completed"])
def test_a_page_that_is_gone_and_a_submission_under_way_change_nothing(
    reported: str, status: AgentStatus
) -> None:
    assert sync(reported, status) is Sync.NOTHING


def test_the_same_status_is_nothing_new_and_any_other_is_corrected() -> None:
    assert sync("in task", S.IN_TASK) is Sync.NOTHING
    assert sync("in task", S.TIMEOUT) is sync("timeout", S.IN_TASK) is Sync.CORRECT


@pytest.mark.parametrize("reported", ["", "asleep", "COMPLETED"])
def test_a_word_that_nobody_knows_is_skipped(reported: str) -> None:
    assert sync(reported, S.IN_TASK) is Sync.UNKNOWN
