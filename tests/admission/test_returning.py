"""What a page gets whose link had an agent before: each row of the table, and that there is always one."""

import itertools

import pytest

from crowdd.daemon.admission.returning import RETURN_TABLE, Last, Return, returning
from crowdd.protocol.names import AgentStatus

S = AgentStatus
ROWS = [
    (Last(S.IN_TASK, theirs=False, goes_on=True), Return.NOT_THEIRS),
    (Last(S.DISCONNECT, may_rejoin=True, closing=True), Return.TRY_LATER),
    (Last(S.DISCONNECT, may_rejoin=True), Return.REJOIN),
    (Last(S.IN_TASK, goes_on=True), Return.AGENT),
    (Last(S.APPROVED, onboarding=True, says_after=False), Return.ADMISSION),
    (Last(S.TIMEOUT, goes_on=True), Return.ADMISSION),
    (Last(S.COMPLETED, says_after=False), Return.ENDED),
    (Last(S.COMPLETED), Return.FINISHED),
]


@pytest.mark.parametrize("number", range(len(RETURN_TABLE)))
def test_each_row_gives_what_it_says(number: int) -> None:
    last, expected = ROWS[number]
    applying = next(row for row in RETURN_TABLE if row.applies(last))
    assert (RETURN_TABLE.index(applying), returning(last)) == (number, expected)


def test_a_link_that_had_no_agent_leads_to_admission() -> None:
    assert returning(None) is Return.ADMISSION


@pytest.mark.parametrize("status", AgentStatus)
def test_w9_only_who_lives_or_may_rejoin_gets_the_agent_again(status: AgentStatus) -> None:
    for onboarding, closing, says, on in itertools.product([False, True], repeat=4):
        last = Last(status, onboarding=onboarding, closing=closing, says_after=says, goes_on=on)
        assert (returning(last) is Return.AGENT) == last.live


@pytest.mark.parametrize("status", [S.DISCONNECT, S.TIMEOUT, S.RETURNED, S.EXPIRED])
def test_an_abandoned_onboarding_is_shown_as_such_and_may_be_begun_again(status: AgentStatus) -> None:
    assert returning(Last(status, onboarding=True)) is Return.FINISHED
    assert returning(Last(status, onboarding=True, goes_on=True)) is Return.ADMISSION
    assert returning(Last(status, onboarding=True, says_after=False)) is Return.ENDED
