"""What `crowdd check` warns of in an author's page: a launch is possible, its answers worth nothing."""

import re
from pathlib import Path

import pytest

from crowdd.daemon import blueprints
from crowdd.daemon.blueprints.page_doubts import PARTS, page_doubts
from crowdd.daemon.checking import check_task
from crowdd.daemon.registry import installed_plug_ins

FORM = "<form><input name=a><button>Send</button></form>"
OURS = '<script src="crowdd.js"></script>'
FILES = ("index.html", "crowdd.js", "style.css", "pictures/a cat.png")


def doubts(body: str) -> list[str]:
    """The words about a page with this body in its second line."""
    return [
        said.removeprefix("page/index.html:")
        for said in page_doubts("page/index.html", f"{OURS}\n{body}", FILES)
    ]


@pytest.mark.parametrize(
    "body",
    [
        FORM,
        '<form><input type="checkbox" name="a" /><input type="submit"></form>',
        '<form><button name="easy" value="yes">Yes</button></form>',
        f"<section data-crowdd=task>{FORM}</section>",
        f"<form data-crowdd=post-task><button>Yes</button></form>{FORM}",
        "<canvas id=drawing></canvas><script>crowdd.submit({})</script>",
        "<form><input id=words><button type=button>Say</button></form><script>crowdd.on()</script>",
        "<form id=f><input name=a></form><button form=f>Send</button>",
        f"{FORM}<link rel=stylesheet href=style.css><img src='pictures/a%20cat.png?1'>",
        f"{FORM}<img src='${{url}}'><img src='data:,'><a href='rules.html'>",
    ],
)
def test_a_page_that_answers_is_not_doubted(body: str) -> None:
    assert doubts(body) == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            "<form><input name=a>\n<input><button>Send</button></form>",
            "3: <input> has no name: what is entered there is not in the answer",
        ),
        (
            "<form><p>${text}</p><button>Send</button></form>",
            "2: no field of the <form> has a name: every answer would be empty",
        ),
        (
            "<form><input name=a><button type=button>Send</button></form>",
            "2: the <form> has no button that sends it, such as <button>Send</button>",
        ),
        ("<p>${text}</p>", "1: has no <form>, and no script of its own that sends: nobody can answer"),
        (
            f"{FORM}\n{FORM}",
            "3: only the form in line 2 is the answer: this one is never sent",
        ),
        (
            f"{FORM}<p data-crowdd=finl>Thanks</p>",
            "2: data-crowdd=\"finl\" is never shown; did you mean 'final'?",
        ),
        (
            f"{FORM}<img src=pictures/dog.png>",
            "2: there is no file pictures/dog.png beside it",
        ),
    ],
)
def test_a_page_that_loses_what_is_entered_is_told_where(body: str, said: str) -> None:
    assert doubts(body) == [said]


def test_the_parts_are_those_that_the_script_of_pages_knows() -> None:
    folder = Path(blueprints.__file__).parent / "page/crowdd"
    script = "".join(path.read_text() for path in sorted(folder.glob("*.js")))
    told = re.findall(r'^ \*   data-crowdd="([a-z-]+)"', script, re.MULTILINE)
    used = {
        name for pair in re.findall(r'\bparts(?:\??\.(\w+)|\["([a-z-]+)"\])', script) for name in pair if name
    }
    assert tuple(told) == PARTS
    assert used <= {*PARTS}


def test_a_check_tells_the_doubts_about_a_page(tmp_path: Path) -> None:
    (tmp_path / "page").mkdir()
    (tmp_path / "page/index.html").write_text(f"{OURS}<form><input><button>Send</button></form>")
    (tmp_path / "data.jsonl").write_text("{}")
    (tmp_path / "task.toml").write_text('name = "names"')
    task = check_task(installed_plug_ins(), tmp_path, {})
    assert task.plan("names").warnings == [
        "page/index.html:1: <input> has no name: what is entered there is not in the answer",
        "page/index.html:1: no field of the <form> has a name: every answer would be empty",
    ]
