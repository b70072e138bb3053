"""What a worker has entered survives a reload, and nothing else does."""

from pathlib import Path

import pytest

from .conftest import OpenRouter
from .page import Page

pytestmark = pytest.mark.browser

FIELDS = """
<form data-crowdd="task">
  <input name="line"><textarea name="lines"></textarea><input type="password" name="secret">
  <input type="radio" name="kind" value="x"><input type="radio" name="kind" value="y">
  <input type="checkbox" name="sure">
  <select name="many" multiple>
    <option value="p">p</option><option value="q">q</option><option value="r">r</option></select>
  <input type="file" name="photo">
  <button>Save</button>
</form>
"""


def wait_kept(page: Page, words: str) -> None:
    page.wait_for(f"(localStorage.getItem('crowdd:draft:' + crowdd.agentId) ?? '').includes({words!r})")


def test_a_draft_is_back_after_a_reload(serve: OpenRouter, page: Page) -> None:
    with serve(FIELDS) as router:
        page.open(router.address)
        page.type("line", "half a thought")
        page.type("lines", "and\nmore")
        page.find("[value=y]").click()
        page.find("[name=sure]").click()
        for option in ("p", "r"):
            page.run(f"document.querySelector('option[value={option}]').selected = true")
        page.type("secret", "hidden")
        wait_kept(page, "more")
        page.reload()
        page.wait_words("Your draft is back")
        assert page.value("line") == "half a thought"
        assert page.value("secret") == ""
        page.press("Save")
        page.wait_state("completed")
        answer = router.agents[0].answer
        assert (answer["lines"], answer["kind"], answer["sure"], answer["many"]) == (
            "and\nmore",
            "y",
            True,
            ["p", "r"],
        )


def test_what_was_typed_in_the_last_instant_is_in_the_draft(serve: OpenRouter, page: Page) -> None:
    with serve() as router:
        page.open(router.address)
        page.type("answer", "just in time")
        page.reload()
        page.wait_words("Your draft is back")
        assert page.value("answer") == "just in time"


def test_a_saved_answer_leaves_no_draft(serve: OpenRouter, page: Page) -> None:
    with serve() as router:
        page.open(router.address)
        page.type("answer", "safe")
        wait_kept(page, "safe")
        page.press("Save")
        page.wait_state("completed")
        assert [name for name in page.stored() if "draft" in name] == []


def test_the_personal_link_is_not_kept_in_the_browser(serve: OpenRouter, page: Page) -> None:
    with serve() as router:
        page.open(router.address, link="t0ken")
        page.type("answer", "x")
        page.press("Save")
        page.press("Next")
        page.wait_state("in task")
        assert "t0ken" not in page.run("JSON.stringify(localStorage)")


def test_a_file_is_no_part_of_a_draft_and_the_page_says_so(
    serve: OpenRouter, page: Page, tmp_path: Path
) -> None:
    picture = tmp_path / "cat.png"
    picture.write_bytes(b"cat")
    with serve(FIELDS) as router:
        page.open(router.address)
        assert "not part of the draft" in page.find(".crowdd-note").text
        page.find("[name=photo]").send_keys(str(picture))
        wait_kept(page, "cat.png")
        page.reload()
        page.wait_words("Your draft is back")
        assert page.find(".crowdd-note").text == "A draft cannot hold files. Please choose again: cat.png"
        assert page.run("document.querySelector('[name=photo]').files.length") == 0


def test_what_a_script_keeps_is_handed_back_after_a_reload(serve: OpenRouter, page: Page) -> None:
    with serve() as router:
        page.open(router.address)
        page.wait_state("in task")
        page.run("crowdd.keep({boxes: 3})")
        page.reload()
        page.wait_state("in task")
        page.run("crowdd.on('unit', ({kept}) => { window.kept = kept; })")
        assert page.run("window.kept") == {"boxes": 3}


def test_a_page_works_where_the_browser_forbids_to_keep_anything(serve: OpenRouter, page: Page) -> None:
    forbid = "{get() { throw new Error('forbidden'); }}"
    body = "<form data-crowdd='task'><p id='words'>${text}</p><input name='answer'></form>"
    with serve(body) as router, page.prepared(f"Object.defineProperty(window, 'localStorage', {forbid})"):
        page.open(router.address)
        page.type("answer", "first")
        page.press("Save")
        page.press("Next")
        page.wait_for("document.querySelector('#words').textContent === 'two'")
        assert router.agents[0].answer == {"answer": "first"}


FILL_THE_STORE = """(() => {
  for (let text = "x".repeat(2 ** 22), n = 0; text; n++) {
    try { localStorage.setItem(`other-${n}`, text); } catch { text = text.slice(text.length / 2 + 1); }
  }
})()"""


def test_a_page_goes_on_to_the_next_unit_where_the_browsers_store_is_full(
    serve: OpenRouter, page: Page
) -> None:
    with serve() as router:
        page.open(router.address)
        page.wait_state("in task")
        page.run(FILL_THE_STORE)
        page.type("answer", "first")
        page.wait_words("no room for a draft")
        page.press("Save")
        page.press("Next")
        page.wait_for("document.querySelector('#words').innerText === 'two'")
        page.run("crowdd.log('still told')")
        assert router.wait_asked("submit_metadata")["metadata"]["log"]["data"] == "still told"


def test_a_unit_nobody_has_touched_has_no_draft(serve: OpenRouter, page: Page) -> None:
    with serve() as router:
        page.open(router.address)
        page.type("answer", "first")
        page.press("Save")
        page.press("Next")
        page.wait_for("document.querySelector('#words').textContent === 'two'")
        page.reload()
        page.wait_state("in task")
        assert "Your draft is back" not in page.words


def test_the_note_of_a_file_field_describes_it_and_is_not_its_name(serve: OpenRouter, page: Page) -> None:
    labelled = '<label>Photo <input type="file" name="photo"></label>'
    with serve(f'<form data-crowdd="task">{labelled}<button>Save</button></form>') as router:
        page.open(router.address)
        page.wait_state("in task")
        field = page.find("[name=photo]")
        assert field.accessible_name == "Photo"
        note = page.find(f"[id='{field.get_attribute('aria-describedby')}']")
        assert "not part of the draft" in note.text
