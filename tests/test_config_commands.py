"""`crowdd config` as people see it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from crowdd.cli import crowdd


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("CROWDD_DATA", "CROWDD_CONFIG", "CONFIGURATION_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def config(*words: str, **environment: str) -> Result:
    return CliRunner().invoke(crowdd, ["config", *words], env=environment)


def test_init_writes_a_file_for_the_data_folder_and_never_over_one(here: Path) -> None:
    assert config("init").output == (
        "crowdd-data/crowdd.toml: written. It changes nothing yet: take the # away from what you change.\n"
    )
    again = config("init")
    assert (again.exit_code, again.stderr) == (
        2,
        "crowdd: 1 problem with the configuration:\n"
        "  - crowdd-data/crowdd.toml: is there already; nothing was written. `crowdd config set` changes a "
        "value of it\n",
    )


def test_init_writes_where_it_is_told(here: Path) -> None:
    config("init", "etc/crowdd.toml")
    assert (here / "etc" / "crowdd.toml").read_text().startswith("# crowdd.toml: ")


def test_show_names_the_source_of_each_value(here: Path) -> None:
    config("set", "pace.linger_s", "5")
    config("set", "log.format", "json")
    lines = config(
        "show", "--log-level", "warning", "--log-format", "text", CROWDD_METRICS="localhost:1"
    ).output
    found = {line.split()[0]: " ".join(line.split()[1:]) for line in lines.splitlines()}
    number = (here / "crowdd-data/crowdd.toml").read_text().splitlines().index("linger_s = 5") + 1
    assert found["pace.linger_s"] == f"5 crowdd-data/crowdd.toml:{number}"
    assert found["metrics"] == '"127.0.0.1:1" CROWDD_METRICS'
    assert found["log.level"] == '["warning"] --log-level'
    assert found["log.format"].startswith('"text" --log-format (before crowdd-data/crowdd.toml:')
    assert found["end_routers"] == "false default"


def test_show_as_json_is_for_programs(here: Path) -> None:
    found = {setting["key"]: setting for setting in json.loads(config("show", "--json").output)}
    assert found["log.level"] == {
        "key": "log.level",
        "value": ["info"],
        "source": "default",
        "where": "",
        "unused": [],
        "takes_up": "reload",
        "meaning": "From which level on, for all or for one part: "
        '["info", "daemon.intake=debug"]; the later one wins.',
    }


def test_show_tells_of_a_variable_that_means_nothing(here: Path) -> None:
    said = config("show", CROWDD_LOG_LEVLE="debug").stderr
    assert said == "crowdd: CROWDD_LOG_LEVLE: means nothing to crowdd; did you mean 'CROWDD_LOG_LEVEL'?\n"


def test_get_prints_the_bare_value(here: Path) -> None:
    assert config("get", "data").output == "crowdd-data\n"
    assert config("get", "pace.goodbye_s").output == "8\n"
    assert config("get", "control").output == "\n"


@pytest.mark.parametrize("words", [("get", "pace.goodby_s"), ("set", "pace.goodby_s", "5")])
def test_an_unknown_key_is_refused_with_the_nearest(here: Path, words: tuple[str, ...]) -> None:
    result = config(*words)
    assert result.exit_code == 2
    assert result.stderr.endswith("  - pace.goodby_s: unknown; did you mean 'pace.goodbye_s'?\n")
    assert [*here.iterdir()] == []


def test_set_says_when_it_holds(here: Path) -> None:
    assert config("set", "log.level", "debug").output == (
        "crowdd-data/crowdd.toml: log.level = debug\n"
        "A reload takes it up: `systemctl reload crowdd`, or kill -HUP of the daemon.\n"
    )
    assert config("set", "pace.goodbye_s", "5").output.endswith("It holds from the daemon's next start.\n")


def test_set_says_when_something_goes_before_the_file(here: Path) -> None:
    result = config("set", "log.level", "debug", CROWDD_LOG_LEVEL="error")
    assert result.stderr == 'But here CROWDD_LOG_LEVEL says ["error"], and goes before the file.\n'


def test_set_changes_the_file_that_is_named(here: Path) -> None:
    config("set", "--config", "mine.toml", "log.level", "debug")
    assert 'level = "debug"' in (here / "mine.toml").read_text()
