"""A worker does units on a page that crowdd.js drives: when everything goes well."""

from pathlib import Path

import pytest

from crowdd.protocol.names import PageState

from .conftest import OpenRouter
from .page import Page

pytestmark = pytest.mark.browser

EVERY_FIELD = """
<form data-crowdd="task">
  <input name="line"> <textarea name="lines"></textarea> <input type="number" name="count" value="3">
  <input type="number" name="missing"> <input type="checkbox" name="sure" checked>
  <input type="checkbox" name="tags" value="a" checked><input type="checkbox" name="tags" value="b">
  <input type="radio" name="kind" value="x"><input type="radio" name="kind" value="y" checked>
  <input type="radio" name="open" value="x">
  <select name="one"><option>p</option><option selected>q</option></select>
  <select name="many" multiple><option selected>p</option><option selected>q</option></select>
  <button name="verdict" value="good">Good</button> <button name="verdict" value="bad">Bad</button>
</form>
"""
AFTERWARDS = """
<form data-crowdd="task"><p id="words">${text}</p><input name="answer"><button>Save</button></form>
<form data-crowdd="post-task"><label>How was it? <input name="opinion"></label><button>Tell</button></form>
<p data-crowdd="final" id="final">Goodbye</p>
"""


def test_the_page_knows_the_states_that_the_protocol_names(serve: OpenRouter, page: Page) -> None:
    with serve() as router:
        page.open(router.address)
        assert page.run("Object.values(crowdd.State)") == [state.value for state in PageState]


def test_a_unit_is_shown_answered_saved_and_followed_by_the_next(serve: OpenRouter, page: Page) -> None:
    with serve() as router:
        page.open(router.address)
        assert page.find("#words").text == "one"
        page.type("answer", "first")
        page.press("Save")
        page.wait_state("completed")
        page.wait_words("Saved")
        page.press("Next")
        page.wait_for("document.querySelector('#words').textContent === 'two'")
        assert page.value("answer") == ""
        page.type("answer", "second")
        page.press("Save")
        page.wait_state("completed")
        assert [agent.answer for agent in router.agents] == [{"answer": "first"}, {"answer": "second"}]


def test_a_registration_says_who_comes_by_which_link_after_which_unit(serve: OpenRouter, page: Page) -> None:
    with serve() as router:
        page.open(router.address, link="s3cret")
        page.type("answer", "first")
        page.press("Save")
        page.press("Next")
        first, second = router.wait_asked("request_agent", 1), router.wait_asked("request_agent", 2)
        assert first["provider_data"] == {
            "provider_type": "fake", "worker_name": "s3cret", "link": "s3cret", "after": "",
        }  # fmt: skip
        assert second["provider_data"]["after"] == "agent-1"
        assert {asked.headers["x-crowdd-client"] for asked in router.asked if asked.headers} == {"1"}


def test_every_kind_of_field_becomes_its_kind_of_answer(serve: OpenRouter, page: Page) -> None:
    with serve(EVERY_FIELD) as router:
        page.open(router.address)
        page.type("line", "a line")
        page.type("lines", "two\nlines")
        page.press("Bad")
        page.wait_state("completed")
        assert router.agents[0].answer == {
            "line": "a line",
            "lines": "two\nlines",
            "count": 3,
            "missing": None,
            "sure": True,
            "tags": ["a"],
            "kind": "y",
            "open": None,
            "one": "q",
            "many": ["p", "q"],
            "verdict": "bad",
        }


def test_a_page_without_form_or_button_or_marks_is_a_task(serve: OpenRouter, page: Page) -> None:
    with serve("<p id='words'>${text}</p><label>Answer <input name='answer'></label>") as router:
        page.open(router.address)
        assert page.find("#words").text == "one"
        page.type("answer", "plain")
        page.press("Save")
        page.wait_state("completed")
        assert router.agents[0].answer == {"answer": "plain"}


def test_what_lies_deeper_in_the_data_is_filled_in_by_its_path(serve: OpenRouter, page: Page) -> None:
    body = "<div data-crowdd='task'><p id='p' title='${a.b}'>${a.b} ${list} ${none} ${n}</p></div>"
    with serve(body, [{"a": {"b": "deep"}, "list": [1, 2], "n": 0}]) as router:
        page.open(router.address)
        assert page.find("#p").text == "deep [1,2] 0"
        assert page.run("document.querySelector('#p').title") == "deep"


def test_data_stays_text_whatever_it_contains(serve: OpenRouter, page: Page) -> None:
    body = """<div data-crowdd="task"><p id="p" onclick="window.hacked = '${evil}'">${evil}</p>
    <a id="a" href="${address}">there</a> <a id="fine" href="${fine}">there</a>
    <img id="i" data-fill-src="${picture}" alt="${evil}"></div>"""
    evil = "<img src=x onerror='window.hacked = true'>"
    data = {
        "evil": evil,
        "address": " java\tscript:window.hacked=true",
        "fine": "/page?a=b",
        "picture": "data:image/gif;base64,R0lGODlhAQABAAAAACw=",
    }
    with serve(body, [data]) as router:
        page.open(router.address)
        assert page.find("#p").text == evil
        assert page.run("document.querySelector('#a').hasAttribute('href')") is False
        assert page.run("document.querySelector('#fine').href") == f"{router.address}page?a=b"
        assert page.run("document.querySelector('#p').getAttribute('onclick')") == "window.hacked = '${evil}'"
        assert page.run("document.querySelector('#i').src").startswith("data:image/gif")
        assert page.run("window.hacked") is None


def test_a_chosen_file_is_sent_with_the_answer(serve: OpenRouter, page: Page, tmp_path: Path) -> None:
    body = "<form data-crowdd='task'><input name='what'><input type='file' name='photo'></form>"
    picture = tmp_path / "cat.png"
    picture.write_bytes(b"\x89PNG not really" * 1000)
    with serve(body) as router:
        page.open(router.address)
        page.type("what", "a cat")
        page.find("[name=photo]").send_keys(str(picture))
        page.press("Save")
        page.wait_state("completed")
        assert router.agents[0].answer == {"what": "a cat", "photo": "cat.png"}
        assert router.asked[-1].files == {"photo:cat.png": picture.read_bytes()}


def test_a_preview_registers_nobody(serve: OpenRouter, page: Page) -> None:
    body = "<p data-crowdd='preview' id='about'>About</p><form data-crowdd='task'>${text}</form>"
    with serve(body) as router:
        page.driver.get(f"{router.address}?preview")
        assert page.find("#about").text == "About"
        page.wait_words("Preview")
        page.run("crowdd.log('from a preview')")
        assert not page.is_shown("form")
        assert router.asked == []


def test_a_preview_shows_the_task_with_the_authors_sample(serve: OpenRouter, page: Page) -> None:
    with serve(config=b'{"preview_data": {"text": "a sample"}}') as router:
        page.driver.get(f"{router.address}?preview")
        assert page.find("#words").text == "a sample"
        assert page.run("document.querySelector('form').inert") is True


def test_consent_is_asked_once_and_before_anything_is_registered(serve: OpenRouter, page: Page) -> None:
    body = """<div data-crowdd="consent" id="consent">You may stop at any time.</div>
    <form data-crowdd="task">${text}<button>Save</button></form>"""
    with serve(body) as router:
        page.open(router.address)
        page.find("#consent")
        assert router.asked == []
        page.press("I agree, let me start")
        page.wait_state("in task")
        assert "consent" in router.wait_asked("submit_metadata")["metadata"]["log"]["data"]
        page.reload()
        page.wait_state("in task")
        assert not page.is_shown("#consent")


def test_the_post_task_part_is_kept_as_metadata_of_the_agent(serve: OpenRouter, page: Page) -> None:
    with serve(AFTERWARDS) as router:
        page.open(router.address)
        page.press("Save")
        page.wait_state("post-task")
        assert not page.is_shown("#words")
        page.type("opinion", "nice")
        page.press("Tell")
        page.wait_state("completed")
        assert page.find("#final").text == "Goodbye"
        told = router.bodies("submit_metadata")[0]
        assert (told["USED_AGENT_ID"], told["metadata"]) == ("agent-1", {"post_task": {"opinion": "nice"}})


def test_the_post_task_part_may_be_skipped(serve: OpenRouter, page: Page) -> None:
    with serve(AFTERWARDS) as router:
        page.open(router.address)
        page.press("Save")
        page.wait_state("post-task")
        page.press("Next")
        page.wait_for("document.querySelector('#words').textContent === 'two'")
        assert router.bodies("submit_metadata") == []


def test_the_post_task_part_is_still_there_after_a_reload(serve: OpenRouter, page: Page) -> None:
    with serve(AFTERWARDS) as router:
        page.open(router.address)
        page.press("Save")
        page.wait_state("post-task")
        page.reload()
        page.wait_state("post-task")
        page.type("opinion", "late")
        page.press("Tell")
        assert router.wait_asked("submit_metadata")["metadata"] == {"post_task": {"opinion": "late"}}


def test_a_reload_after_the_last_answer_shows_the_final_page_with_next(serve: OpenRouter, page: Page) -> None:
    with serve() as router:
        page.open(router.address)
        page.type("answer", "first")
        page.press("Save")
        page.wait_state("completed")
        page.reload()
        page.wait_state("completed")
        page.wait_words("Saved")
        assert len(router.agents) == 1
        page.press("Next")
        page.wait_for("document.querySelector('#words').textContent === 'two'")


def test_two_windows_of_one_link_work_on_one_unit(serve: OpenRouter, page: Page) -> None:
    with serve() as router:
        page.open(router.address)
        page.wait_state("in task")
        page.driver.switch_to.new_window("tab")
        page.open(router.address)
        page.type("answer", "from the second window")
        page.press("Save")
        page.wait_state("completed")
        page.driver.switch_to.window(page.driver.window_handles[0])
        page.type("answer", "from the first window")
        page.press("Save")
        page.wait_words("It was saved before.")
        assert [agent.answer for agent in router.agents] == [{"answer": "from the second window"}]


def test_scripts_hear_of_units_that_came_before_they_listened(serve: OpenRouter, page: Page) -> None:
    with serve() as router:
        page.open(router.address)
        page.wait_state("in task")
        page.run("crowdd.on('unit', (unit) => { window.unit = unit; })")
        assert page.run("window.unit.data") == {"text": "one"}
        assert page.run("window.unit.agentId") == "agent-1"


def test_a_script_may_submit_what_no_form_holds(serve: OpenRouter, page: Page) -> None:
    body = "<div data-crowdd='task'><canvas id='c'></canvas></div>"
    with serve(body) as router:
        page.open(router.address)
        page.wait_state("in task")
        page.run("crowdd.submit({boxes: [[1, 2, 3, 4]]}).then(() => { window.safe = true; })")
        page.wait_for("window.safe")
        assert router.agents[0].answer == {"boxes": [[1, 2, 3, 4]]}


def test_the_words_of_the_page_are_the_authors(serve: OpenRouter, page: Page) -> None:
    with serve(config=b'{"texts": {"in_task": "Bitte lesen", "give_back": "Weg damit"}}') as router:
        page.open(router.address)
        page.wait_words("Bitte lesen")
        page.wait_words("Weg damit")


def test_a_page_that_says_nothing_of_phones_is_laid_out_for_their_width(
    serve: OpenRouter, page: Page
) -> None:
    phone = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    with serve() as router:
        page.emulate("setDeviceMetricsOverride", phone)
        try:
            page.open(router.address)
            assert page.run("window.innerWidth") == 390
        finally:
            page.emulate("clearDeviceMetricsOverride", {})
