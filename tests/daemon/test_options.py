"""What is told about options: taken from the classes, whoever wrote them."""

import enum
import tomllib
from pathlib import Path
from typing import Any

import attrs
import pytest
from attrs import validators
from hypothesis import given
from hypothesis import strategies as st

from crowdd.daemon.options import Option, options_of, summary, toml_text
from crowdd.daemon.registry import Kind, UnknownPlugIn, installed_plug_ins
from crowdd.daemon.structuring import Count, Seconds, Words
from crowdd.daemon.task_config import RunConfig
from crowdd.daemon.task_folder import load_task_code, unload_task_code
from crowdd.daemon.task_options import about_plug_in, plug_ins, task_options


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@attrs.frozen
class Inner:
    """What is within."""

    pause_s: Seconds = 1.5
    """How long
    it pauses."""
    undocumented: str = "x"


@attrs.frozen
class Outer:
    """All kinds of options.

    More about them, for those who read the source.
    """

    must: Words
    """What must be given."""
    count: Count = attrs.field(default=3, validator=[validators.ge(1), validators.le(9)])
    """How many."""
    colour: Colour = Colour.BLUE
    """Which colour."""
    level: str = attrs.field(default="low", validator=validators.in_(("low", "high")))
    """How loud."""
    names: tuple[str, ...] = ()
    """Whose."""
    folder: Path | None = None
    """Where."""
    title: str = attrs.field(default=attrs.Factory(lambda self: self.must, takes_self=True))
    """What is written above; by default the same."""
    told: float = attrs.field(default=2.0, metadata={"meaning": "Said in the metadata."})
    inner: Inner = attrs.Factory(Inner)
    """Never told: its own options are."""
    many: list[Inner] = attrs.Factory(list[Inner])
    named: dict[str, Inner] = attrs.Factory(dict[str, Inner])
    hidden: int = attrs.field(init=False, default=0)


OPTIONS = {option.path: option for option in options_of(Outer)}


def test_options_come_in_the_order_of_the_class_with_those_of_inner_classes_in_their_place() -> None:
    tables, names = ("inner", "many[]", "named.<name>"), ("pause_s", "undocumented")
    inner = [f"{table}.{name}" for table in tables for name in names]
    outer = ["must", "count", "colour", "level", "names", "folder", "title", "told"]
    assert list(OPTIONS) == [*outer, *inner]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("must", "line of text"),
        ("count", "whole number from 1 to 9"),
        ("colour", 'one of "red", "blue"'),
        ("level", 'one of "low", "high"'),
        ("names", "list, each text"),
        ("folder", "path inside the task's folder"),
        ("inner.pause_s", "seconds from 0"),
    ],
)
def test_the_type_is_said_in_words(path: str, words: str) -> None:
    assert OPTIONS[path].type == words


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ).filter(lambda value: "None" not in repr(value))
)
def test_toml_text_is_the_value_in_toml(value: Any) -> None:
    assert tomllib.loads(f"value = {toml_text(value)}") == {"value": value}


@pytest.mark.parametrize(
    ("path", "default", "text"),
    [
        ("count", 3, "3"),
        ("colour", "blue", '"blue"'),
        ("names", [], "[]"),
        ("folder", None, ""),
        ("title", None, ""),
        ("told", 2, "2"),
        ("inner.pause_s", 1.5, "1.5"),
    ],
)
def test_a_default_is_plain_json_and_toml(path: str, default: Any, text: str) -> None:
    assert (OPTIONS[path].default, OPTIONS[path].default_text) == (default, text)


def test_only_what_has_no_default_must_be_given() -> None:
    assert [path for path, option in OPTIONS.items() if option.required] == ["must"]


def test_meanings_are_the_texts_below_the_attributes_on_one_line() -> None:
    assert OPTIONS["inner.pause_s"].meaning == "How long it pauses."
    assert OPTIONS["inner.undocumented"].meaning == ""


def test_metadata_says_the_meaning_where_there_is_no_source() -> None:
    made = attrs.make_class(
        "Made", {"port": attrs.field(default=1, type=int, metadata={"meaning": "Which."})}
    )
    assert options_of(made, "architect") == (Option("architect.port", "whole number", False, 1, "Which."),)
    assert OPTIONS["told"].meaning == "Said in the metadata."


def test_a_class_that_extends_another_tells_of_both() -> None:
    @attrs.frozen
    class Further(Inner):
        after: int = 0
        """What comes after."""

    assert [option.meaning for option in options_of(Further)] == [
        "How long it pauses.",
        "",
        "What comes after.",
    ]


def test_the_summary_is_the_first_paragraph_that_a_person_wrote() -> None:
    made = attrs.make_class("Made", [])
    assert (summary(Outer), summary(made)) == ("All kinds of options.", "")


# --- what is told of a task


def test_every_option_of_a_task_and_of_our_plug_ins_says_what_it_means() -> None:
    registry = installed_plug_ins()
    told = [
        *task_options(registry),
        *(o for kind in Kind for p in plug_ins(registry, kind) for o in p.options),
    ]
    assert [option.path for option in told if not option.meaning] == []
    assert {"name", "limits.grace_s", "blueprint.type", "provider.link_days"} <= {o.path for o in told}


def test_every_field_of_a_task_is_told() -> None:
    told = {option.path.split(".")[0].rstrip("[]") for option in task_options(installed_plug_ins())}
    assert told == {field.name for field in attrs.fields(RunConfig)}


def test_options_of_a_task_are_those_of_the_plug_ins_it_chose() -> None:
    told = [option.path for option in task_options(installed_plug_ins(), {Kind.ARCHITECT: "remote"})]
    assert "architect.routers" in told
    assert "architect.host" not in told


def test_an_unknown_plug_in_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownPlugIn, match="did you mean 'static'"):
        about_plug_in(installed_plug_ins(), Kind.BLUEPRINT, "sttic")


TASK_CODE = '''
import attrs
from crowdd.daemon.blueprints.static import StaticBlueprint, StaticOptions

@attrs.frozen
class Options(StaticOptions):
    mood: str = "calm"
    """How the page
    greets its worker."""

class Greeting(StaticBlueprint):
    """Greets, then asks."""
    name = "greeting"
    Options = Options
'''


def test_an_author_s_own_plug_in_is_told_like_ours(tmp_path: Path) -> None:
    (tmp_path / "task.py").write_text(TASK_CODE)
    module = load_task_code(tmp_path)
    assert module is not None
    try:
        about = about_plug_in(installed_plug_ins().with_task_code(module), Kind.BLUEPRINT, "greeting")
    finally:
        unload_task_code(module)
    assert (about.meaning, about.origin) == ("Greets, then asks.", "task.py")
    *inherited, mood = about.options
    assert mood == Option("blueprint.mood", "text", False, "calm", "How the page greets its worker.")
    assert [option.path for option in inherited] == [
        "blueprint.page", "blueprint.data", "blueprint.units_per_assignment",
    ]  # fmt: skip


def test_a_plug_in_that_cannot_be_loaded_is_told_with_its_trouble(tmp_path: Path) -> None:
    (tmp_path / "task.py").write_text(TASK_CODE.replace("Options = Options", "Options = None"))
    module = load_task_code(tmp_path)
    assert module is not None
    unload_task_code(module)
    about = about_plug_in(installed_plug_ins().with_task_code(module), Kind.BLUEPRINT, "greeting")
    assert "needs `Options`" in about.trouble
