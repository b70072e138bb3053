"""The blueprint `static`: what it reads from a task's folder, serves, and refuses before a launch."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from crowdd.daemon.blueprints.contract import BlueprintFault, Material, Row
from crowdd.daemon.blueprints.paged import KEPT_BYTES_MAX
from crowdd.daemon.blueprints.static import StaticBlueprint, StaticOptions
from crowdd.protocol.names import AgentStatus, AssignmentId, RunId, UnitId, UnitStatus
from crowdd.storage.records import Assignment, Unit

PAGE = '<!doctype html><head><script src="crowdd.js"></script></head><p title="${title}">${text}</p>'
Make = Callable[..., StaticBlueprint]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A blueprint of a folder with these files."""

    def made(
        files: Mapping[str, str | bytes], make_rows: Callable[[], Any] | None = None, **options: Any
    ) -> StaticBlueprint:
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return StaticBlueprint(StaticOptions(**options), Material(tmp_path, None, make_rows))

    return made


GOOD: dict[str, str | bytes] = {
    "page/index.html": PAGE,
    "data.jsonl": '{"title": "t", "text": "a"}\n{"title": "", "text": "b"}\n',
}


@pytest.mark.parametrize(
    ("instead", "remedy"),
    [
        ("index.html", "move index.html from beside task.toml into page/"),
        ("page/Index.HTM", "rename page/Index.HTM"),
        ("page/words.html", "it is the page that workers see"),
    ],
)
def test_a_page_in_the_wrong_place_is_told_where_to_go(make: Make, instead: str, remedy: str) -> None:
    blueprint = make({"data.jsonl": GOOD["data.jsonl"], "page/style.css": "", instead: PAGE})
    assert f"page/index.html: is missing; {remedy}" in blueprint.check()


def test_a_good_folder_has_no_faults(make: Make) -> None:
    assert make(GOOD).check() == []


def test_every_row_is_for_so_many_workers_as_asked(make: Make) -> None:
    assert [len(row.unit_data) for row in make(GOOD, units_per_assignment=3).rows()] == [3, 3]


@pytest.mark.parametrize("name", ["data.json", "data.csv", "given.jsonl"])
def test_data_is_found_by_its_usual_names_or_by_the_one_given(make: Make, name: str) -> None:
    content = {"data.json": '[{"text": "a"}]', "data.csv": "text\na\n", "given.jsonl": '{"text": "a"}'}[name]
    blueprint = make({name: content}, **({"data": Path(name)} if name == "given.jsonl" else {}))
    assert list(blueprint.rows()) == [Row({"text": "a"}, [{}])]


def test_rows_of_code_take_the_place_of_a_file(make: Make) -> None:
    def endless() -> Any:
        number = 0
        while True:
            yield {"text": str(number)}
            number += 1

    blueprint = make(GOOD, endless)
    rows = blueprint.rows()
    assert [next(rows).shared["text"] for _ in range(3)] == ["0", "1", "2"]
    assert blueprint.check() == []


def test_a_row_of_code_that_is_none_is_named(make: Make) -> None:
    with pytest.raises(BlueprintFault, match=r"task.py: row 2 of rows\(\): must be an object"):
        list(make(GOOD, lambda: [{"text": "a"}, 5]).rows())


def test_rows_are_the_same_each_time(make: Make) -> None:
    blueprint = make(GOOD)
    assert list(blueprint.rows()) == list(blueprint.rows())


@pytest.mark.parametrize(
    ("files", "fault"),
    [
        ({"page/index.html": None}, "page: there is no such folder"),
        ({"page/index.html": None, "page/other.html": ""}, "page/index.html: is missing"),
        ({"page/index.html": b"\xff"}, "page/index.html: is not UTF-8"),
        ({"page/index.html": "<p>hello</p>"}, "page/index.html: loads no script that registers workers"),
        ({"page/crowdd.js": ""}, "page/crowdd.js: crowdd makes this file itself"),
        ({"page/task_config.json": ""}, "page/task_config.json: crowdd makes this file itself"),
        ({"data.jsonl": None}, "data.jsonl: there is no data"),
        ({"data.csv": "text\na\n"}, "data.jsonl: there is data.csv, too"),
        ({"data.jsonl": ""}, "data.jsonl: holds no row"),
        ({"data.jsonl": '{"title": 1, "text": 2}\n[1]\n'}, "data.jsonl:2: must be an object"),
        (
            {"page/index.html": PAGE + "\n\n<p>${txet}"},
            "page/index.html:3: ${txet} is not in the data; did you mean ${text}?",
        ),
        (
            {"page/index.html": PAGE + "<img alt='${_truth}'>"},
            "page/index.html:1: ${_truth} is not in the data",
        ),
    ],
)
def test_each_fault_is_found_and_says_what_to_do(make: Make, files: Mapping[str, Any], fault: str) -> None:
    whole = {name: content for name, content in {**GOOD, **files}.items() if content is not None}
    assert [found for found in make(whole).check() if found.startswith(fault)], make(whole).check()


def test_all_faults_are_told_at_once(make: Make) -> None:
    faults = make({"page/index.html": "<p>${text}", "data.jsonl": "1\n2\n3\n"}).check()
    assert [fault.split(":")[0] for fault in faults] == ["page/index.html", *["data.jsonl"] * 3]


def test_a_thousand_faults_are_told_in_twenty_lines(make: Make) -> None:
    faults = make({"page/index.html": PAGE, "data.jsonl": "1\n" * 1000}).check()
    assert (len(faults), faults[-1]) == (21, "... and 980 more like these")


def test_placeholders_in_code_and_of_the_worker_are_no_faults(make: Make) -> None:
    page = PAGE + "<script>`${anything}`</script><style>${x}</style>${mephisto_agent_id}${text.inner}"
    assert make({**GOOD, "page/index.html": page}).check() == []


def test_data_outside_the_folder_is_refused(make: Make) -> None:
    assert make(GOOD, data=Path("../other.csv")).check() == ["../other.csv: is outside the task's folder"]
    assert make(GOOD, data=Path("data.xlsx")).check() == ["data.xlsx: must end in .jsonl, .json or .csv"]


def test_the_authors_pages_are_served_with_our_script(make: Make) -> None:
    files = make({**GOOD, "page/img/a.png": b"png", "page/.DS_Store": "x"}).page_files()
    assert sorted(files) == ["crowdd.js", "img/a.png", "index.html"]
    assert b"window.crowdd" in files["crowdd.js"]


def test_a_link_out_of_the_page_folder_is_refused(make: Make, tmp_path: Path) -> None:
    blueprint = make({**GOOD, "secret.txt": "secret"})
    (tmp_path / "page" / "way_out.txt").symlink_to(tmp_path / "secret.txt")
    assert blueprint.check() == ["page/way_out.txt: leads out of the folder; copy the file into it"]
    with pytest.raises(BlueprintFault):
        blueprint.page_files()


def test_a_page_is_given_shared_and_own_data_but_nothing_hidden(make: Make) -> None:
    shared = {"text": "a", "side": 0, "_truth": 1}
    own: list[dict[str, Any]] = [{"side": 1}, {"side": 2, "_key": "x"}]
    assignment = Assignment(AssignmentId(1), RunId(1), 0, "", shared, own)
    unit = Unit(UnitId(2), RunId(1), AssignmentId(1), 1, UnitStatus.ASSIGNED, 1, None, None, 5)
    assert make(GOOD).init_data(assignment, unit) == {"text": "a", "side": 2}


def test_a_worker_of_a_static_task_starts_at_once(make: Make) -> None:
    assert make(GOOD).first_status(0) is AgentStatus.IN_TASK


def test_added_rows_are_read_as_data_is(make: Make, tmp_path: Path) -> None:
    blueprint = make(GOOD, units_per_assignment=2)
    more = tmp_path / "more.csv"
    more.write_text("title,text\nx,c\ny,d\n")
    assert blueprint.check_added(more) == []
    assert list(blueprint.added_rows(more)) == [
        Row({"title": "x", "text": "c"}, [{}, {}]),
        Row({"title": "y", "text": "d"}, [{}, {}]),
    ]


@pytest.mark.parametrize(
    ("content", "faults"),
    [
        ("", ["more.jsonl: holds no row"]),
        ('[1]\n{"title"\n', ["more.jsonl:1: must be an object", "more.jsonl:2: "]),
        ('{"title": "t", "txt": "a"}\n', ["page/index.html:1: ${text} is not in the data"]),
    ],
)
def test_every_fault_of_added_rows_is_told(
    make: Make, tmp_path: Path, content: str, faults: list[str]
) -> None:
    more = tmp_path / "more.jsonl"
    more.write_text(content)
    told = make(GOOD).check_added(more)
    assert len(told) == len(faults)
    assert all(each.startswith(fault) for each, fault in zip(told, faults, strict=True)), told


# --- data that is not read twice


def test_the_rows_of_a_launch_are_those_that_its_check_has_read(make: Make) -> None:
    blueprint = make(GOOD)
    blueprint.check()
    read = blueprint.checked_data
    assert read is not None
    assert [*blueprint.rows_of(read)] == [*blueprint.rows()]


def test_data_that_was_changed_since_its_check_is_read_again(make: Make) -> None:
    blueprint = make(GOOD)
    blueprint.check()
    read = blueprint.checked_data
    assert read is not None
    changed = make({**GOOD, "data.jsonl": '{"title": "new", "text": "c"}\n'})
    assert [row.shared["title"] for row in changed.rows_of(read)] == ["new"]


@pytest.mark.parametrize(
    "data", ['{"title": "t", "text": "a"}\n[]\n', '{"title": "t", "text": "%s"}\n' % ("a" * KEPT_BYTES_MAX)]
)
def test_data_with_a_fault_or_too_much_of_it_is_not_kept(make: Make, data: str) -> None:
    blueprint = make({**GOOD, "data.jsonl": data})
    blueprint.check()
    assert blueprint.checked_data is None


def test_what_a_plug_in_does_not_take_for_rows_is_not_kept(make: Make) -> None:
    class Reversed(StaticBlueprint):
        def rows(self) -> Iterator[Row]:
            return reversed([*super().rows()])

    plain = make(GOOD)
    blueprint = Reversed(plain.options, plain.material)
    blueprint.check()
    assert blueprint.checked_data is None
