"""Functions of the task that a page calls on the server: a promise of the result, or why there is none."""

import operator
from typing import Any

import pytest

from .conftest import OpenRouter
from .fake_router import FakeRouter
from .page import Page

pytestmark = pytest.mark.browser

SCRIPT = """
<script>
  const told = [], results = {};
  crowdd.on("update", (update) => told.push(update));
  crowdd.on("sent", (update) => told.push(update));
  crowdd.on("unit", ({calls}) => { window.past = calls; });
  const ask = (key, name, args, how) => void crowdd.call(name, args, how).then(
    (result) => { results[key] = {result}; },
    ({message, reason}) => { results[key] = {message, reason}; });
</script>
"""
WORK = f'<section data-crowdd="task"><p id="words">${{text}}</p></section>{SCRIPT}'


def fail(args: Any) -> None:
    raise ValueError(f"{args} is no digit")


def sit_down(router: FakeRouter, page: Page) -> None:
    router.live = True
    router.functions = {"add": sum, "double": lambda n: operator.mul(2, n), "fail": fail}
    page.open(router.address)
    page.wait_state("in task")
    router.wait_socket()


def result(page: Page, key: str = "mine") -> Any:
    return page.wait_for(f"results['{key}']")


def test_a_call_gives_the_result_and_is_no_update(serve: OpenRouter, page: Page) -> None:
    with serve(WORK) as router:
        sit_down(router, page)
        page.run("ask('mine', 'add', [20, 22])")
        assert result(page) == {"result": 42}
        assert page.run("told") == []
        request = router.said("mephisto_bound_live_update")[0]
        assert (request["target"], request["args"]) == ("add", "[20,22]")


def test_a_function_that_fails_rejects_with_its_words(serve: OpenRouter, page: Page) -> None:
    with serve(WORK) as router:
        sit_down(router, page)
        page.run("ask('mine', 'fail', 'x')")
        assert result(page) == {"message": "x is no digit", "reason": "error"}


def test_several_calls_are_under_way_at_once_and_each_gets_its_own_result(
    serve: OpenRouter, page: Page
) -> None:
    with serve(WORK) as router:
        sit_down(router, page)
        page.run("[...Array(20).keys()].forEach((n) => ask(n, 'double', n))")
        page.wait_for("Object.keys(results).length === 20")
        assert page.run("results") == {str(n): {"result": 2 * n} for n in range(20)}


def test_a_call_without_arguments_passes_null(serve: OpenRouter, page: Page) -> None:
    with serve(WORK) as router:
        sit_down(router, page)
        router.functions["what"] = lambda args: [args]
        page.run("ask('mine', 'what')")
        assert result(page) == {"result": [None]}


def test_a_call_that_nobody_answers_ends_after_its_own_limit(serve: OpenRouter, page: Page) -> None:
    with serve(WORK) as router:
        sit_down(router, page)
        page.run("ask('mine', 'unheard', 1, {limit_s: 0.5})")
        assert result(page) == {"message": "unheard was not answered within 0.5 s", "reason": "timeout"}
        request_id = router.wait_heard(1).heard[0]["request_id"]
        router.say({"handles": request_id, "response": "1"}, {"text": "after"})
        page.wait_for("told.length === 1")
        assert page.run("told[0].text") == "after"


def test_a_call_ends_with_its_unit(serve: OpenRouter, page: Page) -> None:
    with serve(WORK) as router:
        sit_down(router, page)
        page.run("ask('mine', 'unheard', 1)")
        router.wait_heard(1)
        router.push("update_status", {"status": "expired"})
        assert result(page) == {"message": "This unit is over", "reason": "ended"}
        page.run("ask('later', 'add', [1])")
        assert result(page, "later")["reason"] == "ended"


def test_a_call_survives_a_broken_line_on_both_ways(serve: OpenRouter, page: Page) -> None:
    with serve(WORK) as router:
        sit_down(router, page)
        router.deaf = True
        page.run("ask('mine', 'add', [1, 2])")
        router.wait_said("mephisto_bound_live_update", lambda data: data["target"] == "add")
        router.drop_sockets()
        router.deaf = False
        assert result(page) == {"result": 3}
        page.run("ask('other', 'unheard', 1)")
        request_id = router.wait_heard(2).heard[1]["request_id"]
        router.drop_sockets()
        router.agents[0].talk.say({"handles": request_id, "response": '"late"'})
        assert result(page, "other") == {"result": "late"}


def test_an_answer_that_came_with_a_registration_settles_its_call(serve: OpenRouter, page: Page) -> None:
    with serve(WORK) as router:
        sit_down(router, page)
        page.run("ask('mine', 'unheard', 1)")
        talk = router.wait_heard(1)
        request_id = talk.heard[0]["request_id"]
        talk.say({"handles": request_id, "response": "7"})
        talk.past.clear()
        talk.calls.append({"uuid": "any", "target": request_id, "args_json": None, "response_json": "7"})
        router.push("update_status", {"status": "disconnect", "reason": "shutdown"})
        assert result(page) == {"result": 7}


def test_after_a_reload_the_page_is_told_of_its_earlier_calls(serve: OpenRouter, page: Page) -> None:
    with serve(WORK) as router:
        sit_down(router, page)
        page.run("ask('mine', 'add', [1, 2])")
        result(page)
        page.run("ask('mine too', 'fail', 'x')")
        result(page, "mine too")
        page.reload()
        assert page.wait_for("window.past") == [
            {"name": "add", "args": [1, 2], "result": 3},
            {"name": "fail", "args": "x", "error": "x is no digit"},
        ]
        page.wait_state("in task")
        assert page.run("told") == []
        page.run("ask('mine', 'add', [3, 4])")
        assert result(page) == {"result": 7}


def test_what_is_no_json_is_refused_and_so_is_a_call_in_a_preview(serve: OpenRouter, page: Page) -> None:
    with serve(WORK, config=b'{"preview_data": {"text": "an example"}}') as router:
        page.open(router.address, link="")
        page.wait_words("Preview")
        page.run("ask('mine', 'add', [1])")
        assert result(page)["reason"] == "ended"
        assert page.run("crowdd.send({text: 'x'})") is False
        sit_down(router, page)
        page.run("ask('mine', 'add', 10n)")
        assert "BigInt" in result(page)["message"]
