"""task.toml: what it may say, what is refused and in which words, and its way to JSON and back."""

import gc
import json
import tomllib
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdd.daemon.providers.inhouse import InhouseOptions
from crowdd.daemon.registry import installed_plug_ins
from crowdd.daemon.structuring import COUNT_MAX, SECONDS_MAX, Faults, Words, make_converter, structure
from crowdd.daemon.task_config import ConfigRefused
from crowdd.daemon.task_structuring import config_from_json, config_to_json, open_converter
from crowdd.daemon.task_toml import CONFIG_BYTES_MAX, load_config
from crowdd.protocol.names import Reason

MOCKS = '[provider]\ntype = "mock"\n[architect]\ntype = "mock"\n[blueprint]\ntype = "mock"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, 'name = "digits"')
    return tmp_path


def write(folder: Path, toml: str) -> None:
    (folder / "task.toml").write_text(toml, "utf-8")


def problems(folder: Path, overrides: Mapping[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigRefused) as refused:
        load_config(folder, overrides)
    return refused.value.problems


def test_a_name_is_enough(folder: Path) -> None:
    config = load_config(folder)
    assert (config.title, config.task, config.requester) == ("digits", "digits", "inhouse")
    assert (config.blueprint.type, config.provider.type, config.architect.type) == (
        "static",
        "inhouse",
        "local",
    )


def test_the_defaults_are_those_that_authors_of_the_field_expect(folder: Path) -> None:
    config = load_config(folder)
    limits = config.limits
    assert (limits.assignment_duration_s, limits.submission_timeout_s) == (1800, 600)
    assert (limits.no_submission_patience_s, limits.grace_s, limits.rejoin_s) == (43_200, 20, 120)
    assert (limits.allowed_concurrent, limits.maximum_units_per_worker) == (0, 0)
    assert (limits.max_num_concurrent_units, config.pay_cents) == (0, 0)


def test_options_become_the_plug_ins_own_options(folder: Path) -> None:
    write(folder, 'name = "x"\n[provider]\ntype = "inhouse"\nlink_days = 7')
    assert load_config(folder).provider.options == InhouseOptions(link_days=7)


def test_everything_that_is_wrong_is_told_at_once_with_its_path_and_the_nearest_name(folder: Path) -> None:
    write(
        folder,
        """
        titel = "x"
        tags = "one"
        release_on_close = 1
        [blueprint]
        type = "statik"
        [provider]
        link_day = 3
        [pay]
        reward = 0.3
        [limits]
        allowed_concurrent = -1
        assignment_duration_s = "5"
        [texts]
        time_ove = "x"
        [task_config]
        when = 2024-01-01
        """,
    )
    assert set(problems(folder, {"limits.grac": "1"})) == {
        "name: is missing",
        "titel: unknown; did you mean 'title'?",
        "tags: must be a list, not 'one'",
        "release_on_close: must be true or false, not 1",
        "blueprint.type: there is no blueprint 'statik'; did you mean 'static'?",
        "provider.link_day: unknown; did you mean 'link_days'?",
        'pay.reward: money is text, never a number: write "0.3"',
        "limits.grac: unknown; did you mean 'grace_s'?",
        f"limits.allowed_concurrent: must be from 0 to {COUNT_MAX}, not -1",
        "limits.assignment_duration_s: must be a number, not '5'",
        "texts.time_ove: unknown reason; did you mean 'time_over'?",
        "task_config.when: cannot be kept as JSON: datetime.date(2024, 1, 1); put it in quotes",
    }


def test_a_number_out_of_bounds_is_told_by_its_path(folder: Path) -> None:
    overrides = {"blueprint.units_per_assignment": "0", "blueprint.type": "static"}
    assert problems(folder, overrides) == ["blueprint.units_per_assignment: must be >= 1, not 0"]


def test_combinations_that_cannot_be_are_refused_all_at_once(folder: Path) -> None:
    write(
        folder,
        'name = "x"\n[limits]\nallowed_concurrent = 3\nmaximum_units_per_worker = 2\n'
        "no_submission_patience_s = 10",
    )
    assert problems(folder) == [
        "limits.allowed_concurrent: 3 at once is more than 2 in all (maximum_units_per_worker)",
        "limits.no_submission_patience_s: 10 would end the run before a worker's 1800 s "
        "(assignment_duration_s) are over",
    ]


def test_a_slip_in_type_is_seen_as_one(folder: Path) -> None:
    said = problems(folder, {"blueprint.tpye": "static", "blueprint.units_per_assignment": "true"})
    assert said == [
        "blueprint.tpye: unknown; did you mean 'type'?",
        "blueprint.units_per_assignment: must be a whole number, not True",
    ]


@pytest.mark.parametrize("table", ["limits", "pay", "provider", "texts", "task_config"])
def test_a_value_where_a_table_belongs_is_refused(folder: Path, table: str) -> None:
    write(folder, f'name = "x"\n{table} = 5')
    assert f"{table}: must be a table, not 5" in problems(folder)


@pytest.mark.parametrize("value", ["1e999", "nan", "-inf", "-1", "true", str(SECONDS_MAX * 2)])
def test_a_duration_is_a_finite_number_that_dates_can_bear(folder: Path, value: str) -> None:
    write(folder, f'name = "x"\n[limits]\ngrace_s = {value}')
    assert problems(folder)[0].startswith("limits.grace_s: must be ")


def test_a_whole_number_is_a_duration(folder: Path) -> None:
    write(folder, 'name = "x"\n[limits]\ngrace_s = 5')
    assert load_config(folder).limits.grace_s == 5.0


@pytest.mark.parametrize(
    ("reward", "cents"), [("0.30", 30), ("1", 100), ("12.5", 1250), ("0.29", 29), ("10000.00", 1_000_000)]
)
def test_money_is_exact(folder: Path, reward: str, cents: int) -> None:
    write(folder, f'name = "x"\n[pay]\nreward = "{reward}"')
    assert load_config(folder).pay_cents == cents


@pytest.mark.parametrize("reward", ["-1", "1e3", "NaN", "0.001", ".5", "1,50", "٣", "10000.01", "", " 1"])
def test_what_is_no_amount_is_refused(folder: Path, reward: str) -> None:
    write(folder, f'name = "x"\n[pay]\nreward = "{reward}"')
    assert problems(folder)[0].startswith("pay.reward: must be ")


@pytest.mark.parametrize("label", ["Digits", "-a", "a-", "a.b", "a/b", "x" * 41, "ä", "a\\n"])
def test_a_label_that_no_address_could_hold_is_refused(folder: Path, label: str) -> None:
    write(folder, f'name = "x"\nlabel = "{label}"')
    assert problems(folder)[0].startswith("label: must have ")


@pytest.mark.parametrize("name", ["", "  ", "a\\nb", "\\u001b[31mred", "x" * 501])
def test_a_name_is_one_line_of_words(folder: Path, name: str) -> None:
    write(folder, f'name = "{name}"')
    assert problems(folder)[0].startswith("name: must ")


def test_an_override_replaces_what_the_file_says(folder: Path) -> None:
    write(folder, 'name = "x"\n[limits]\ngrace_s = 5')
    assert load_config(folder, {"limits.grace_s": "7.5"}).limits.grace_s == 7.5


def test_an_override_is_a_toml_value_or_else_text(folder: Path) -> None:
    config = load_config(
        folder,
        {"tags": '["a", "b"]', "title": "Two words", "shared_origin": "true", "task_config.a.b": "[1]"},
    )
    assert (config.tags, config.title, config.shared_origin) == (("a", "b"), "Two words", True)
    assert config.task_config == {"a": {"b": [1]}}


def test_a_number_given_for_a_text_keeps_its_letters(folder: Path) -> None:
    config = load_config(folder, {"name": "007", "title": "1.50", "pay.reward": "0.30", "task": "2024-01-01"})
    assert (config.name, config.title, config.pay_cents, config.task) == ("007", "1.50", 30, "2024-01-01")


def test_an_override_cannot_smuggle_in_a_second_line(folder: Path) -> None:
    assert problems(folder, {"limits.grace_s": "1\nother = 2"})[0].startswith(
        "limits.grace_s: must be a number"
    )


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("name.x", "name.x: name is not a table"),
        ("limits..x", "limits..x: is not a key; write it like limits.grace_s=5"),
        ("", ": is not a key; write it like limits.grace_s=5"),
        ("limits.grac_s", "limits.grac_s: unknown; did you mean 'grace_s'?"),
    ],
)
def test_an_override_of_nothing_is_refused(folder: Path, key: str, said: str) -> None:
    assert problems(folder, {key: "1"}) == [said]


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    assert problems(tmp_path) == [
        "task.toml: is not there; a task is a folder with task.toml, data and a page"
    ]


@pytest.mark.parametrize("content", [b"name = ", b"\xff", b"a = 1\na = 2", b"a = " + b"[" * 5000])
def test_what_is_not_toml_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "task.toml").write_bytes(content)
    assert problems(tmp_path)[0].startswith("task.toml: is not TOML: ")


def test_a_task_toml_with_the_data_in_it_is_too_large(tmp_path: Path) -> None:
    (tmp_path / "task.toml").write_bytes(b"#" * (CONFIG_BYTES_MAX + 1))
    assert problems(tmp_path)[0].startswith("task.toml: is larger than ")


def test_the_authors_words_for_refusals_are_kept(folder: Path) -> None:
    write(folder, 'name = "x"\n[texts]\nblocked = "Sorry."')
    assert load_config(folder).texts == {"blocked": "Sorry."}


def test_plug_ins_of_the_tasks_own_code_are_found_and_given_their_options(folder: Path) -> None:
    (folder / "task.py").write_text(
        "import attrs\n"
        "from crowdd.daemon.providers.mock import MockProvider\n"
        "@attrs.frozen\nclass Chosen:\n    color: str = 'red'\n"
        "class Mine(MockProvider):\n    name = 'mine'\n    Options = Chosen\n"
    )
    write(folder, 'name = "x"\n[provider]\ntype = "mine"\ncolor = "blue"')
    assert load_config(folder).provider.options.color == "blue"


def test_nothing_that_a_task_brought_is_kept_once_its_config_is_let_go(folder: Path) -> None:
    (folder / "task.py").write_text(
        "import attrs\n"
        "from crowdd.daemon.providers.mock import MockProvider\n"
        "@attrs.frozen\nclass Chosen:\n    color: str = 'red'\n"
        "class Mine(MockProvider):\n    name = 'mine'\n    Options = Chosen\n"
    )
    write(folder, 'name = "x"\n[provider]\ntype = "mine"')
    chosen: weakref.ref[Any] = weakref.ref(load_config(folder).provider.options.__class__)
    gc.collect()
    assert chosen() is None


def test_configs_are_read_while_another_is_being_read(folder: Path) -> None:
    registry = installed_plug_ins()
    write(folder, 'name = "x"')
    with open_converter(registry):
        config = load_config(folder, registry=registry)
    assert config == load_config(folder, registry=registry)


def test_task_code_that_fails_refuses_the_task_with_its_traceback(folder: Path) -> None:
    (folder / "task.py").write_text("x = 1\nx / 0\n")
    [problem] = problems(folder)
    assert "line 2" in problem
    assert "ZeroDivisionError" in problem


def test_a_stored_plug_in_that_is_gone_is_named_with_the_remedy_at_hand(folder: Path) -> None:
    document = config_to_json(load_config(folder))
    document["blueprint"]["type"] = "gone"
    with pytest.raises(ConfigRefused, match="there is no blueprint 'gone'; known: group, live, mock, "):
        config_from_json(document)


brief = settings(max_examples=60)
"""How long it takes says more about the machine than about the config."""
_seconds = st.floats(0, SECONDS_MAX)
_words = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=50)
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
_documents: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"name": _words, "provider": st.just({"type": "mock"}), "architect": st.just({"type": "mock"})},
    optional={
        "title": _words,
        "description": st.text(),
        "tags": st.lists(_words, max_size=4),
        "label": st.from_regex(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?", fullmatch=True),
        "project": _words,
        "release_on_close": st.booleans(),
        "pay": st.fixed_dictionaries({"reward": st.from_regex(r"[0-9]{1,4}\.[0-9]{2}", fullmatch=True)}),
        "limits": st.fixed_dictionaries(
            {}, optional={"grace_s": _seconds, "max_num_concurrent_units": st.integers(0, COUNT_MAX)}
        ),
        "texts": st.dictionaries(st.sampled_from([reason.value for reason in Reason]), _words),
        "task_config": st.dictionaries(st.text(), _json, max_size=4),
    },
)


@brief
@given(_documents)
def test_nothing_is_lost_on_the_way_to_json_and_back(document: dict[str, Any]) -> None:
    config = config_from_json(document)
    stored = json.loads(json.dumps(config_to_json(config)))
    assert config_from_json(stored) == config
    assert all(config_to_json(config)["task_config"][key] == value for key, value in
               document.get("task_config", {}).items())  # fmt: skip


@brief
@given(_json)
def test_nonsense_is_always_refused_in_words(value: Any) -> None:
    document: dict[str, Any] = {"nonsense": value}
    told: list[str] = []
    try:
        config_from_json(document, installed_plug_ins())
    except ConfigRefused as refused:
        told = refused.problems
    assert told


@attrs.frozen
class Inner:
    size: int


@attrs.frozen
class Everything:
    """What options of plug-ins are made of."""

    path: Path | None = None
    mode: Literal["a", "b"] = "a"
    inner: Inner | None = None
    several: list[Inner] = attrs.Factory(list[Inner])
    either: int | str = 0
    words: Words = "x"
    names: frozenset[str] = frozenset()


def faults(document: Any) -> list[str]:
    with pytest.raises(Faults) as refused:
        structure(make_converter(), document, Everything, "options")
    return refused.value.problems


def test_options_may_be_of_every_type_that_toml_can_say() -> None:
    document = tomllib.loads(
        'path = "a/b"\nmode = "b"\neither = "x"\nnames = ["n"]\ninner = {size = 1}\n[[several]]\nsize = 2'
    )
    assert structure(make_converter(), document, Everything) == Everything(
        Path("a/b"), "b", Inner(1), [Inner(2)], "x", "x", frozenset({"n"})
    )


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../../x", "", ".", "a\0b"])
def test_a_path_in_options_stays_in_the_folder(path: str) -> None:
    assert faults({"path": path})[0].startswith("options.path: must be a path inside the task's folder")


def test_faults_deep_in_options_have_their_whole_path() -> None:
    assert faults({"several": [{"size": 1}, {"size": "2"}], "inner": {"size": 1, "siz": 2}}) == [
        "options.inner.siz: unknown; did you mean 'size'?",
        "options.several[1].size: must be a whole number, not '2'",
    ]


def test_plug_ins_may_ask_for_words_too() -> None:
    assert faults({"words": ""}) == ["options.words: must not be empty"]


def test_a_word_that_an_option_does_not_allow_is_told_with_those_it_allows() -> None:
    mock = {"type": "mock", "first_status": "completed"}
    with pytest.raises(ConfigRefused) as refused:
        config_from_json({"name": "x", "blueprint": mock})
    assert refused.value.problems == [
        "blueprint.first_status: must be one of 'in task', 'waiting', not 'completed'"
    ]
