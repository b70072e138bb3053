"""SEC13: who may do what through the control socket, and what is written down about it."""

import os
import pwd
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from crowdd.daemon.control import serve_control
from crowdd.daemon.control.endpoint import Endpoint
from crowdd.daemon.control.endpoints import ENDPOINTS
from crowdd.daemon.roles import Person, Role, RolesConfig, Staff
from crowdd.storage.errors import StorageFull
from crowdd.storage.records import AuditRow

from .fakes import NOW, Desk, FakeOperator

NOBODY = pwd.getpwnam("nobody").pw_uid
NOGROUP = pwd.getpwnam("nobody").pw_gid


class Everybody(Staff):
    """Staff among whom everybody has one role."""

    def __init__(self, role: Role) -> None:
        super().__init__(RolesConfig())
        self.role = role

    def role_of(self, person: Person) -> Role:
        return self.role


class Somebody:
    """A person as the kernel would describe them."""

    def __init__(self, uid: int, *groups: int) -> None:
        self.uid = uid
        self.groups = frozenset(groups)


async def desk_of(role: Role, folder: Path, nursery: trio.Nursery) -> Desk:
    operator = FakeOperator()
    operator.scratch = folder / "scratch"
    await operator.a_run()
    return Desk(operator, await nursery.start(serve_control, operator, folder / "control", Everybody(role)))


def target(endpoint: Endpoint) -> str:
    path = endpoint.path.format(run="digits", sha256="0" * 64, unit=1, agent=1)
    needed = "&".join(f"{query.name}=x" for query in endpoint.query if query.needed)
    return f"/v1{path}?{needed}"


def endpoints_beyond(role: Role) -> Iterator[Endpoint]:
    return (endpoint for endpoint in ENDPOINTS if not role.covers(endpoint.role))


# --- which role covers what


@pytest.mark.parametrize("role", list(Role))
async def test_sec13_no_endpoint_beyond_the_peers_role_does_anything(
    role: Role, tmp_path: Path, nursery: trio.Nursery
) -> None:
    desk = await desk_of(role, tmp_path, nursery)
    for endpoint in endpoints_beyond(role):
        answer = await desk.ask(endpoint.method, target(endpoint))
        assert (answer.status, answer.error()["code"]) == (403, "needs_role"), endpoint.path
        assert f"needs the role {endpoint.role.value}" in answer.error()["message"]
        assert f"roles.{endpoint.role.value}" in answer.error()["hint"]
    assert desk.operator.launches == []
    assert await desk.operator.storage.audit() == []


def test_sec13_what_runs_code_costs_money_or_cannot_be_undone_needs_the_role_pay() -> None:
    names = {endpoint.name for endpoint in ENDPOINTS if endpoint.role is Role.PAY}
    assert {
        "launch_run",
        "plan_run",  # loads the task's code, as launching does
        "show_folder_options",  # likewise
        "extend_run",
        "review",
        "delete_run",
        "delete_qualification",
    } <= names


async def test_sec13_the_audit_is_read_by_subject(desk: Desk) -> None:
    for label in ("digits", "names"):
        await desk.operator.a_run(label)
        await desk.ask("POST", f"/v1/runs/{label}/pause")
    [row] = (await desk.ask("GET", "/v1/audit?subject=names")).json()["audit"]
    assert (row["what"], row["subject"], row["after"]) == ("pause_run", "names", "paused: paused by staff")
    assert row["uid"] == os.getuid()


def test_sec13_who_may_view_changes_nothing() -> None:
    assert {endpoint.method for endpoint in ENDPOINTS if Role.VIEW.covers(endpoint.role)} == {"GET"}


async def test_sec13_status_tells_the_peer_its_role(tmp_path: Path, nursery: trio.Nursery) -> None:
    desk = await desk_of(Role.VIEW, tmp_path, nursery)
    assert (await desk.ask("GET", "/v1/status")).json()["role"] == "view"


async def test_sec13_a_role_that_is_taken_away_holds_from_the_next_request(
    tmp_path: Path, nursery: trio.Nursery
) -> None:
    operator, staff = FakeOperator(), Everybody(Role.PAY)
    desk = Desk(operator, await nursery.start(serve_control, operator, tmp_path / "control", staff))
    assert (await desk.ask("GET", "/v1/runs")).status == 200
    staff.role = Role.NONE
    assert (await desk.ask("GET", "/v1/runs")).status == 403


# --- who has which role


def test_sec13_the_daemons_own_user_and_root_may_do_everything() -> None:
    staff = Staff(RolesConfig(others=Role.NONE))
    assert staff.role_of(Somebody(0)) is Role.PAY
    assert staff.role_of(Somebody(os.geteuid())) is Role.PAY


def test_sec13_who_is_named_nowhere_may_look_unless_told_otherwise() -> None:
    assert Staff(RolesConfig()).role_of(Somebody(NOBODY)) is Role.VIEW
    assert Staff(RolesConfig(others=Role.NONE)).role_of(Somebody(NOBODY)) is Role.NONE


def test_sec13_a_user_has_the_highest_role_they_are_named_for() -> None:
    staff = Staff(RolesConfig(view=("nobody",), pay=("nobody",)))
    assert staff.role_of(Somebody(NOBODY)) is Role.PAY


def test_sec13_who_is_named_has_that_role_also_where_others_have_more() -> None:
    staff = Staff(RolesConfig(view=("nobody",), others=Role.PAY))
    assert staff.role_of(Somebody(NOBODY)) is Role.VIEW


def test_sec13_a_group_is_any_of_the_persons_groups() -> None:
    staff = Staff(RolesConfig(operate=("@nogroup",)))
    assert staff.role_of(Somebody(54321, 100, NOGROUP)) is Role.OPERATE
    assert staff.role_of(Somebody(NOGROUP, 100)) is Role.VIEW


def test_sec22_a_name_that_nobody_has_gives_nobody_a_role_and_is_told() -> None:
    staff = Staff(RolesConfig(pay=("nobodyy", "@no-such-group")))
    assert [words.split(":")[0] for words in staff.unknown] == ["roles.pay", "roles.pay"]
    assert "no user 'nobodyy'" in staff.unknown[0]
    assert "no group 'no-such-group'" in staff.unknown[1]
    assert staff.role_of(Somebody(54321)) is Role.VIEW


# --- the audit


async def audit_of(desk: Desk) -> AuditRow:
    [row] = await desk.operator.storage.audit()
    return row


async def test_sec13_a_change_is_written_down_with_user_process_and_outcome(desk: Desk) -> None:
    await desk.operator.a_run()
    await desk.ask("POST", "/v1/runs/1/pause", b'{"why": "the server moves"}')
    row = await audit_of(desk)
    assert (row.at, row.uid, row.pid) == (NOW, os.getuid(), os.getpid())
    assert (row.what, row.subject, row.outcome) == ("pause_run", "digits", "done")
    assert (row.before, row.after) == ("open", "paused: the server moves")


async def test_sec13_a_change_that_was_refused_is_written_down_so(desk: Desk) -> None:
    await desk.operator.a_run()
    await desk.ask("DELETE", "/v1/runs/digits")
    row = await audit_of(desk)
    assert (row.what, row.subject, row.outcome) == ("delete_run", "digits", "refused: run_not_ended")


async def test_sec13_a_change_that_fails_is_written_down_so(desk: Desk) -> None:
    async def broken(_: object, __: object) -> int:
        raise RuntimeError("a bug")

    await desk.operator.a_run()
    desk.operator.expire = broken  # type: ignore[method-assign,assignment]
    assert (await desk.ask("POST", "/v1/runs/digits/expire")).status == 500
    assert (await audit_of(desk)).outcome == "failed"


async def test_sec13_nothing_is_done_that_cannot_be_written_down(desk: Desk) -> None:
    async def full(*_: object) -> AuditRow:
        raise StorageFull("full")

    await desk.operator.a_run()
    desk.operator.storage.begin_audit = full  # type: ignore[method-assign,assignment]
    answer = await desk.ask("POST", "/v1/runs/digits/pause")
    assert (answer.status, answer.error()["code"]) == (507, "storage_full")
    assert not (await desk.operator.storage.run_by_label("digits")).paused


async def test_sec13_what_was_done_is_answered_though_its_outcome_cannot_be_written_down(desk: Desk) -> None:
    async def full(*_: object) -> None:
        raise StorageFull("full")

    await desk.operator.a_run()
    desk.operator.storage.end_audit = full  # type: ignore[method-assign,assignment]
    assert (await desk.ask("POST", "/v1/runs/digits/pause")).status == 200
    assert (await audit_of(desk)).outcome is None


async def test_sec14_the_audit_of_links_holds_none(desk: Desk) -> None:
    run = await desk.operator.a_run()
    made = await desk.ask("POST", f"/v1/runs/{run.id}/links", b'{"workers": ["ann"]}')
    link = made.json()["links"][0]["url"]
    await desk.ask("POST", "/v1/links/revoke", b'{"link": "%s"}' % link.encode())
    rows = await desk.operator.storage.audit()
    assert [row.what for row in rows] == ["make_links", "revoke_link"]
    assert "link=" not in str(rows)


async def test_sec13_looking_is_not_written_down(desk: Desk) -> None:
    await desk.ask("GET", "/v1/runs")
    assert await desk.operator.storage.audit() == []
