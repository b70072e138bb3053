"""crowdd.toml, the environment and flags become one configuration, or all their faults are said at once."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdd.daemon.config_file import lines_of
from crowdd.daemon.config_layers import Asked, Configured, Kind, variable_of
from crowdd.daemon.config_writing import set_value, template, write_template
from crowdd.daemon.daemon_config import DaemonConfig, LogForm
from crowdd.daemon.metrics.address import MetricsAddress
from crowdd.daemon.options import options_of, toml_text
from crowdd.daemon.structuring import Faults

OPTIONS = {option.path: option for option in options_of(DaemonConfig)}


def configured(
    folder: Path, toml: str = "", environment: Mapping[str, str] | None = None, **flags: Any
) -> Configured:
    (folder / "crowdd.toml").write_text(toml)
    named = {path.replace("__", "."): value for path, value in flags.items()}
    return Asked({"data": str(folder), **named}, environment or {}).configure()


def problems(folder: Path, toml: str = "", environment: Mapping[str, str] | None = None) -> list[str]:
    with pytest.raises(Faults) as refused:
        configured(folder, toml, environment)
    return [problem.replace(f"{folder}/", "") for problem in refused.value.problems]


def source(found: Configured, key: str) -> tuple[Kind, str]:
    at = found.find(key).source
    return at.kind, at.where.rpartition("/")[2]


# --- which source is heard


def test_without_any_source_every_value_is_its_default(tmp_path: Path) -> None:
    found = Asked(file=None, environment={"CROWDD_DATA": str(tmp_path)}).configure()
    assert found.config == DaemonConfig(data=tmp_path)
    assert {setting.source.kind for setting in found.settings if setting.path != "data"} == {Kind.DEFAULT}


def test_flags_go_before_the_environment_and_that_before_the_file(tmp_path: Path) -> None:
    toml = "[pace]\nlinger_s = 1\nsettle_s = 1\ngoodbye_s = 1\n"
    environment = {"CROWDD_PACE_SETTLE_S": "2", "CROWDD_PACE_GOODBYE_S": "2"}
    found = configured(tmp_path, toml, environment, pace__goodbye_s=3)
    pace = found.config.pace
    assert (pace.linger_s, pace.settle_s, pace.goodbye_s, pace.suspend_s) == (1, 2, 3, 120)
    assert [source(found, f"pace.{name}") for name in ("linger_s", "settle_s", "goodbye_s", "suspend_s")] == [
        (Kind.FILE, "crowdd.toml:2"),
        (Kind.ENVIRONMENT, "CROWDD_PACE_SETTLE_S"),
        (Kind.FLAG, "--pace-goodbye-s"),
        (Kind.DEFAULT, ""),
    ]


def test_what_was_not_heard_is_known(tmp_path: Path) -> None:
    found = configured(tmp_path, "end_routers = true\n", {"CROWDD_END_ROUTERS": "false"})
    assert [unused.kind for unused in found.find("end_routers").unused] == [Kind.FILE]


def test_an_empty_variable_is_none(tmp_path: Path) -> None:
    assert source(configured(tmp_path, environment={"CROWDD_METRICS": ""}), "metrics")[0] is Kind.DEFAULT


@pytest.mark.parametrize("letters", ["info,links=debug", '["info", "links=debug"]', "info, links=debug"])
def test_levels_in_the_environment_are_a_list_or_words_with_commas(tmp_path: Path, letters: str) -> None:
    found = configured(tmp_path, environment={"CROWDD_LOG_LEVEL": letters})
    assert found.config.log.level == ("info", "links=debug")


def test_every_option_can_be_set_in_the_environment(tmp_path: Path) -> None:
    for option in OPTIONS.values():
        value = option.default if option.default is not None else option.example
        letters = toml_text(value)
        name = variable_of(option.path)
        found = Asked(environment={"CROWDD_DATA": str(tmp_path), name: letters}).configure()
        assert source(found, option.path) == (Kind.ENVIRONMENT, name)


def test_a_misspelt_variable_is_told_and_one_of_the_author_s_own_is_not(tmp_path: Path) -> None:
    environment = {"CROWDD_LOG_LEVLE": "x", "CROWDD_SOCKET": "y", "CROWDD_REPOSITORY": "z"}
    [warning] = configured(tmp_path, environment=environment).warnings
    assert warning == "CROWDD_LOG_LEVLE: means nothing to crowdd; did you mean 'CROWDD_LOG_LEVEL'?"


def test_relative_paths_begin_at_the_folder_of_the_file(tmp_path: Path) -> None:
    found = configured(tmp_path, 'control = "here/control"\nrouters = "/etc/routers.toml"\n')
    assert (found.config.control, found.config.routers) == (
        tmp_path / "here/control",
        Path("/etc/routers.toml"),
    )


def test_values_become_what_the_daemon_works_with(tmp_path: Path) -> None:
    config = configured(tmp_path, 'metrics = "[::1]:9469"\n[log]\nformat = "json"\n').config
    assert (config.metrics, config.log.format) == (MetricsAddress("::1", 9469), LogForm.JSON)


# --- which file is read


def test_a_file_that_was_named_goes_before_that_of_the_data_folder(tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text("[pace]\nlinger_s = 7\n")
    (tmp_path / "crowdd.toml").write_text("nonsense")
    for asked in (
        Asked({"data": str(tmp_path)}, {}, tmp_path / "other.toml"),
        Asked({"data": str(tmp_path)}, {"CROWDD_CONFIG": str(tmp_path / "other.toml")}),
    ):
        assert asked.configure().config.pace.linger_s == 7


def test_a_service_reads_the_file_in_its_own_folder(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "crowdd.toml").write_text("[pace]\nlinger_s = 7\n")
    asked = Asked({"data": str(tmp_path)}, {"CONFIGURATION_DIRECTORY": str(tmp_path / "etc")})
    assert asked.configure().config.pace.linger_s == 7


def test_a_file_that_was_named_and_is_not_there_is_a_fault_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "no.toml"
    with pytest.raises(Faults, match=r"there is no such file; `crowdd config init .*no.toml` writes one"):
        Asked(file=path).configure()


def test_a_file_in_the_data_folder_cannot_name_another(tmp_path: Path) -> None:
    assert problems(tmp_path, '\ndata = "elsewhere"\n') == [
        "crowdd.toml:2: data: a file in the data folder cannot name another; keep it elsewhere"
    ]


# --- faults


def test_all_faults_of_all_sources_are_said_at_once_each_with_its_place(tmp_path: Path) -> None:
    toml = 'lgo = 1\n[log]\nlevle = "info"\nlevel = "deubg"\n\n[pace]\ngoodbye_s = "5"\n'
    assert sorted(
        problems(tmp_path, toml, {"CROWDD_METRICS": "0.0.0.0:1", "CROWDD_PACE_LINGER_S": "soon"})
    ) == [
        "CROWDD_METRICS: 0.0.0.0 can be reached from other machines, and nobody who reads metrics is asked "
        "who they are; use a loopback address or a Unix socket, and a proxy that asks in front of it",
        "CROWDD_PACE_LINGER_S: must be a number, not 'soon'",
        "crowdd.toml:1: lgo: unknown; did you mean 'log'?",
        "crowdd.toml:3: log.levle: unknown; did you mean 'level'?",
        "crowdd.toml:4: log.level: there is no level 'deubg'; did you mean 'debug'?",
        "crowdd.toml:7: pace.goodbye_s: must be a number, not '5'",
    ]


def test_a_table_that_is_none_is_a_fault_at_its_line(tmp_path: Path) -> None:
    assert problems(tmp_path, "log = 5\n") == ["crowdd.toml:1: log: must be a table, not 5"]


@pytest.mark.parametrize("toml", ["[log", "a = 1\na = 2\n", 'x = "\n'])
def test_a_file_that_is_no_toml_says_where(tmp_path: Path, toml: str) -> None:
    [problem] = problems(tmp_path, toml)
    assert problem.startswith("crowdd.toml: is not TOML: ")
    assert "line" in problem or "end of document" in problem


def test_a_file_that_is_something_else_is_refused_unread(tmp_path: Path) -> None:
    (tmp_path / "crowdd.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(Faults, match="is not TOML"):
        Asked({"data": str(tmp_path)}).configure()
    (tmp_path / "crowdd.toml").write_bytes(b"#" * 70_000)
    with pytest.raises(Faults, match="is larger than"):
        Asked({"data": str(tmp_path)}).configure()


def test_lines_are_those_in_which_keys_begin() -> None:
    text = '# c\na = 1\n\nb = [\n 1,\n 2,\n]\n[t]\nc = """\nx = 5\n"""\nd.e = 3\n[t.u]\n'
    assert lines_of(text) == {"a": 2, "b": 4, "t": 8, "t.c": 9, "t.d": 12, "t.d.e": 12, "t.u": 13}


# --- writing


def test_the_template_changes_nothing_and_explains_every_option(tmp_path: Path) -> None:
    assert configured(tmp_path, template()).config == DaemonConfig(data=tmp_path)
    for option in OPTIONS.values():
        assert option.meaning.split()[0] in template()
        assert f" {variable_of(option.path)}." in template()


def test_every_line_of_the_template_can_be_taken_as_it_stands(tmp_path: Path) -> None:
    whole = "".join(
        line[1:] if line.startswith("#") and line[1].isalpha() else line
        for line in template().splitlines(keepends=True)
    )
    (tmp_path / "etc.toml").write_text(whole)
    found = Asked(file=tmp_path / "etc.toml").configure()
    assert {setting.source.kind for setting in found.settings} == {Kind.FILE}


def test_the_template_never_replaces_a_file(tmp_path: Path) -> None:
    path = tmp_path / "crowdd.toml"
    path.write_text("# mine\n")
    with pytest.raises(Faults, match="is there already"):
        write_template(path)
    assert path.read_text() == "# mine\n"


def test_a_value_set_first_takes_the_place_of_its_commented_default(tmp_path: Path) -> None:
    asked = Asked({"data": str(tmp_path)})
    set_value(asked, "log.level", "debug")
    text = (tmp_path / "crowdd.toml").read_text()
    assert text == template().replace('#level = ["info"]', 'level = "debug"')


MINE = """# mine
[log]   # how loud
level   = "info"  # for now

[pace]
"""


def test_comments_and_layout_stay_when_a_value_is_changed(tmp_path: Path) -> None:
    (tmp_path / "crowdd.toml").write_text(MINE)
    set_value(Asked({"data": str(tmp_path)}), "log.level", "debug")
    assert (tmp_path / "crowdd.toml").read_text() == MINE.replace('"info"', '"debug"')


@pytest.mark.parametrize("key", [key for key in OPTIONS if key != "data"])
@pytest.mark.parametrize("before", ["", MINE, "# only a comment", 'control = "/c"\n[log]\nformat = "json"'])
def test_any_option_can_be_added_to_any_file(tmp_path: Path, key: str, before: str) -> None:
    path = tmp_path / "crowdd.toml"
    path.write_text(before)
    value = OPTIONS[key].default if OPTIONS[key].default is not None else OPTIONS[key].example
    letters = toml_text(value)
    after = set_value(Asked({"data": str(tmp_path)}), key, letters)
    assert after.find(key).source.kind is Kind.FILE
    assert Asked({"data": str(tmp_path)}).configure() == after
    comments = [line for line in before.splitlines() if line.startswith("#")]
    assert [line for line in path.read_text().splitlines() if line.startswith("#")] == comments


@pytest.mark.parametrize(
    ("key", "letters", "said"),
    [
        ("log.levle", "info", "log.levle: unknown; did you mean 'log.level'?"),
        ("log", "info", "log: unknown; "),
        ("log.format", "jsn", "log.format: 'jsn' is not known; did you mean 'json'?"),
        ("pace.goodbye_s", "-1", "pace.goodbye_s: must be from 0"),
        ("data", "/elsewhere", "data: a file in the data folder cannot name another"),
    ],
)
def test_a_value_that_is_wrong_changes_nothing(tmp_path: Path, key: str, letters: str, said: str) -> None:
    path = tmp_path / "crowdd.toml"
    path.write_text(MINE)
    with pytest.raises(Faults) as refused:
        set_value(Asked({"data": str(tmp_path)}), key, letters)
    assert said in str(refused.value)
    assert path.read_text() == MINE
    assert [*tmp_path.iterdir()] == [path]


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=80))
def test_no_text_makes_the_reader_of_lines_fail_where_toml_does_not(text: str) -> None:
    try:
        document = tomllib.loads(text)
    except ValueError:
        return
    assert set(document) <= set(lines_of(text))
