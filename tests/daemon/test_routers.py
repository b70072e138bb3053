"""routers.toml: which routers a daemon knows, and where a run is found on each."""

from pathlib import Path

import pytest

from crowdd.daemon.architects.contract import Ground
from crowdd.daemon.architects.remote import RemoteArchitect, RemoteOptions
from crowdd.daemon.checking import LaunchRefused, launchable
from crowdd.daemon.registry import installed_plug_ins
from crowdd.daemon.routers import KnownRouter, Routers
from crowdd.daemon.secrets import make_secret
from crowdd.daemon.structuring import Faults

CROWD = '[crowd]\nurl = "https://crowd.example.org"\nsecret_file = "secret"\n'


@pytest.fixture
def routers(tmp_path: Path) -> Routers:
    make_secret(tmp_path / "secret")
    (tmp_path / "routers.toml").write_text(CROWD)
    return Routers(tmp_path / "routers.toml")


def refused(routers: Routers, *names: str, label: str = "digits", shared_origin: bool = False) -> list[str]:
    return RemoteArchitect.check(RemoteOptions(names), Ground(routers, label, shared_origin))


@pytest.mark.parametrize(
    ("url", "shared_origin", "address"),
    [
        ("https://crowd.example.org", False, "https://digits.crowd.example.org/"),
        ("https://crowd.example.org/", True, "https://crowd.example.org/run/digits/"),
        ("http://localhost:8090", False, "http://digits.localhost:8090/"),
        ("http://127.0.0.1:8090", True, "http://127.0.0.1:8090/run/digits/"),
        ("http://[::1]:8090", True, "http://[::1]:8090/run/digits/"),
    ],
)
def test_a_run_has_a_host_of_its_own_or_a_path_where_origins_are_shared(
    url: str, shared_origin: bool, address: str
) -> None:
    assert KnownRouter(url, "secret").address("digits", shared_origin) == address


def test_workers_are_sent_where_the_proxy_is() -> None:
    router = KnownRouter("http://127.0.0.1:8090", "secret", "https://crowd.example.org")
    assert router.address("digits", shared_origin=False) == "https://digits.crowd.example.org/"


def test_a_number_has_no_hosts_below_it() -> None:
    with pytest.raises(Faults, match="set shared_origin = true"):
        KnownRouter("http://127.0.0.1:8090", "secret").address("digits", shared_origin=False)


@pytest.mark.parametrize("shared_origin", [False, True])
def test_a_label_that_is_the_router_s_own_name_would_take_its_other_runs_requests(
    shared_origin: bool,
) -> None:
    with pytest.raises(Faults, match="choose another label"):
        KnownRouter("https://crowd.example.org", "secret").address("crowd", shared_origin)


@pytest.mark.parametrize(
    "url",
    ["crowd.example.org", "ftp://x", "https://", "https://x/y", "https://x?y", "https://u@x", "https://x:y", "https://[x"],
)  # fmt: skip
def test_a_router_is_at_a_web_address_without_a_path(url: str) -> None:
    with pytest.raises(Faults, match="url: must be like https://"):
        KnownRouter(url, "secret")


def test_known_routers_are_accepted(routers: Routers) -> None:
    assert refused(routers, "crowd") == []


def test_a_router_that_is_not_known_is_refused_with_the_nearest_name(routers: Routers) -> None:
    [problem] = refused(routers, "croud")
    assert problem.startswith("architect.routers: 'croud' is not in ")
    assert "did you mean 'crowd'?" in problem


def test_without_a_file_no_router_is_known(tmp_path: Path) -> None:
    [problem] = refused(Routers(tmp_path / "routers.toml"), "crowd")
    assert problem.endswith("none is known")


def test_a_secret_that_cannot_be_read_is_refused(routers: Routers, tmp_path: Path) -> None:
    (tmp_path / "secret").chmod(0o644)
    [problem] = refused(routers, "crowd")
    assert "'crowd'" in problem
    assert "chmod 600" in problem


def test_a_plain_link_that_leaves_this_machine_is_refused(routers: Routers, tmp_path: Path) -> None:
    (tmp_path / "routers.toml").write_text(CROWD.replace("https", "http"))
    [problem] = refused(routers, "crowd")
    assert "neither https nor on this machine" in problem


def test_one_router_under_two_names_is_refused(routers: Routers, tmp_path: Path) -> None:
    (tmp_path / "routers.toml").write_text(CROWD + CROWD.replace("[crowd]", "[again]"))
    assert refused(routers, "crowd", "again") == [
        "architect.routers: two of these names mean the same router"
    ]


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ('[crowd]\nurl = "https://x"\n', "crowd.secret_file: is missing"),
        ('[crowd]\nurl = "https://x"\nsecret_fiel = "s"\nsecret_file = "s"\n', "did you mean 'secret_file'?"),
        ('[crowd]\nurl = 5\nsecret_file = "s"\n', "crowd.url: must be text"),
        ("crowd = 5", "crowd: must be a table"),
        ("[crowd", "cannot be read"),
    ],
)
def test_what_is_wrong_with_the_file_is_said_with_its_place(tmp_path: Path, table: str, problem: str) -> None:
    (tmp_path / "routers.toml").write_text(table)
    [said] = refused(Routers(tmp_path / "routers.toml"), "crowd")
    assert str(tmp_path / "routers.toml") in said
    assert problem in said


@pytest.mark.parametrize("names", [(), ("crowd", "crowd")])
def test_a_task_names_each_of_its_routers_once(names: tuple[str, ...]) -> None:
    with pytest.raises(Faults, match="routers: "):
        RemoteOptions(names)


def test_a_launch_without_its_router_is_refused_before_anything_is_stored(
    routers: Routers, tmp_path: Path
) -> None:
    task = tmp_path / "task"
    task.mkdir()
    (task / "task.toml").write_text(
        'name = "x"\n[blueprint]\ntype = "mock"\n[architect]\ntype = "remote"\nrouters = ["croud"]\n'
    )
    launchable(installed_plug_ins(), task, {})
    with pytest.raises(LaunchRefused, match="did you mean 'crowd'"):
        launchable(installed_plug_ins(), task, {}, routers)


def test_a_task_cannot_name_addresses_or_files(tmp_path: Path) -> None:
    inline = '{url = "https://x", secret_file = "/etc/shadow"}'
    (tmp_path / "task.toml").write_text(f'name = "x"\n[architect]\ntype = "remote"\nrouters = [{inline}]\n')
    with pytest.raises(LaunchRefused, match=r"architect.routers\[0\]: must be text"):
        launchable(installed_plug_ins(), tmp_path, {})
