"""Endpoints that say what can be set, and what would be launched."""

import pytest

from .fakes import Desk
from .test_launch import packed

PAGE = b'<!doctype html><script src="crowdd.js"></script><form><p>${text}</p><button>Send</button></form>'
TASK = {"task.toml": b'name = "x"\n', "page/index.html": PAGE, "data.jsonl": b'{"text": "a"}\n'}
CODE = b'''
import attrs
from crowdd.daemon.blueprints.static import StaticBlueprint, StaticOptions

@attrs.frozen
class Options(StaticOptions):
    mood: str = "calm"
    """How it greets."""

class Greeting(StaticBlueprint):
    """Greets."""
    name = "greeting"
    Options = Options
'''
OWN = {**TASK, "task.py": CODE, "task.toml": b'name = "x"\n[blueprint]\ntype = "greeting"\n'}


async def test_all_plug_ins_are_listed(desk: Desk) -> None:
    answer = (await desk.ask("GET", "/v1/options")).json()
    assert {"blueprint static", "provider inhouse", "architect remote"} <= {
        f"{plug_in['kind']} {plug_in['name']}" for plug_in in answer["plug_ins"]
    }


async def test_one_plug_in_comes_with_its_options(desk: Desk) -> None:
    [told] = (await desk.ask("GET", "/v1/options?kind=provider&name=inhouse")).json()["plug_ins"]
    assert told["origin"] == "crowdd"
    assert told["options"] == [
        {
            "path": "provider.link_days",
            "type": "whole number from 1 to 3660",
            "required": False,
            "default": 30,
            "default_text": "30",
            "meaning": "How long a personal link may be used.",
        }
    ]


async def test_task_toml_is_told_with_the_usual_plug_ins(desk: Desk) -> None:
    answer = (await desk.ask("GET", "/v1/options?kind=task")).json()
    assert answer["plug_ins"] == []
    assert {"name", "blueprint.page", "limits.grace_s"} <= {option["path"] for option in answer["options"]}


@pytest.mark.parametrize(
    ("query", "code", "words"),
    [
        ("kind=bluprint", "no_such_kind", "'blueprint'"),
        ("kind=blueprint&name=sttic", "no_such_plug_in", "'static'"),
    ],
)
async def test_an_unknown_name_is_404_with_the_nearest(desk: Desk, query: str, code: str, words: str) -> None:
    answer = await desk.ask("GET", f"/v1/options?{query}")
    assert (answer.status, answer.error()["code"]) == (404, code)
    assert words in answer.body.decode()


async def test_a_name_without_its_kind_is_400(desk: Desk) -> None:
    assert (await desk.ask("GET", "/v1/options?name=static")).status == 400


async def test_a_folder_s_own_plug_ins_are_told(desk: Desk) -> None:
    answer = (await desk.ask("POST", "/v1/options", packed(OWN))).json()
    assert [plug_in["name"] for plug_in in answer["plug_ins"]] == ["greeting"]
    mood = next(option for option in answer["options"] if option["path"] == "blueprint.mood")
    assert (mood["default"], mood["meaning"]) == ("calm", "How it greets.")


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({"task.py": b"import nothing_here"}, "No module named 'nothing_here'"),
        ({"task.toml": b'[blueprint]\ntype = "sttic"'}, "did you mean 'static'"),
        ({"task.toml": b"["}, "is not TOML"),
    ],
)
async def test_a_folder_whose_options_cannot_be_told_says_why(
    desk: Desk, files: dict[str, bytes], problem: str
) -> None:
    answer = await desk.ask("POST", "/v1/options", packed({**TASK, **files}))
    assert answer.status == 422
    assert problem in answer.error()["problems"][0]


async def test_a_plan_is_told_and_nothing_launched(desk: Desk) -> None:
    answer = await desk.ask("POST", "/v1/plan?set=pay.reward%3D0.50", packed(TASK))
    assert answer.status == 200
    assert (answer.json()["units"], answer.json()["pay_total"]) == (1, "0.50")
    assert desk.operator.launches == []


async def test_a_plan_of_a_broken_task_is_422_with_all_problems(desk: Desk) -> None:
    answer = await desk.ask("POST", "/v1/plan?set=titel%3Dx&set=grace%3D1", packed(TASK))
    assert (answer.status, len(answer.error()["problems"])) == (422, 2)
