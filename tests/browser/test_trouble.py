"""What a worker sees when things go wrong: refusals in words, patience, and never a false "saved"."""

from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from .conftest import OpenRouter
from .fake_router import Reply, refusal
from .page import Page

pytestmark = pytest.mark.browser

# Code that the test itself injects is foreign to the page, whose browser would tell "Script error." only.
SLIPS = "<script>function slip(words) { setTimeout(() => { throw new Error(words); }); }</script>"
WORK = SLIPS + "<form data-crowdd='task'><input name='answer'><button>Save</button></form>"
HOTEL = Reply(200, b"<!doctype html><p>Please log in to the hotel's network</p>")


@pytest.mark.parametrize(
    ("code", "reason", "title"),
    [
        (403, "not_qualified", "You cannot start right now"),
        (403, "identity_unverified", "This link does not work"),
        (409, "no_available_units", "Nothing to do right now"),
        (409, "max_for_task", "You have done your part"),
    ],
)
def test_a_refusal_is_shown_in_the_servers_words(
    serve: OpenRouter, page: Page, code: int, reason: str, title: str
) -> None:
    with serve() as router:
        router.script["request_agent"].append(refusal(code, reason, "The words of the server."))
        page.open(router.address)
        page.wait_words("The words of the server.")
        page.wait_words(title)
        assert page.state == "failed to connect"
        assert page.run("crowdd.reason") == reason
        page.press("Try again")
        page.wait_state("in task")


def test_the_end_of_the_work_is_no_error(serve: OpenRouter, page: Page) -> None:
    with serve(units=[{"text": "only"}]) as router:
        page.open(router.address)
        page.type("answer", "done")
        page.press("Save")
        page.press("Next")
        page.wait_words("No work is left here.")


def test_try_later_is_tried_again_when_the_server_said(serve: OpenRouter, page: Page) -> None:
    with serve() as router:
        router.script["request_agent"].append(Reply(503, {"text": "We are full."}, {"Retry-After": "1"}))
        page.open(router.address)
        page.wait_words("We are full. Trying again in 1 s")
        assert page.state == "connecting"
        page.wait_state("in task")


def test_a_countdown_may_be_cut_short(serve: OpenRouter, page: Page) -> None:
    with serve() as router:
        router.script["request_agent"].append(Reply(429, {"text": "Slowly."}, {"Retry-After": "300"}))
        page.open(router.address)
        page.wait_words("Trying again in 300 s")
        page.press("Try now")
        page.wait_state("in task")


def test_a_page_without_luck_says_so_and_goes_on_trying(serve: OpenRouter, page: Page) -> None:
    with serve() as router:
        router.script["request_agent"].extend([Reply(502, b"<h1>Bad gateway</h1>")] * 6)
        page.open(router.address)
        for times in range(1, 6):
            router.wait_asked("request_agent", times)
            page.press("Try now")
        page.wait_state("failed to connect")
        page.press("Try now")
        page.wait_state("in task")


def test_a_log_in_page_of_a_hotel_is_not_taken_for_our_server(serve: OpenRouter, page: Page) -> None:
    with serve() as router:
        router.script["request_agent"].append(HOTEL)
        router.script["submit_task"].append(HOTEL)
        page.open(router.address)
        page.wait_words("The server cannot be reached")
        page.press("Try now")
        page.type("answer", "x")
        page.press("Save")
        page.wait_words("Not saved yet")
        assert page.state == "in task"
        page.press("Try now")
        page.wait_state("completed")
        assert router.agents[0].answer == {"answer": "x"}


def test_saved_is_said_only_after_the_answer(serve: OpenRouter, page: Page) -> None:
    with serve() as router:
        router.script["submit_task"].extend([refusal(503, "try_later", "Not now.", retry_after_s=1)] * 2)
        page.open(router.address)
        page.type("answer", "patient")
        page.press("Save")
        page.wait_words("Not saved yet Not now. What you entered is kept on this page.")
        assert page.run("document.querySelector('form').inert") is True
        page.wait_state("completed")
        assert len({str(body["final_data"]) for body in router.bodies("submit_task")}) == 1
        assert len(router.bodies("submit_task")) == 3


def test_an_answer_whose_receipt_was_lost_is_saved_once(serve: OpenRouter, page: Page) -> None:
    with serve() as router:
        router.script["submit_task"].append(Reply(504, b"<h1>Gateway timeout</h1>", delivered=True))
        page.open(router.address)
        page.type("answer", "once")
        page.press("Save")
        page.press("Try now")
        page.wait_state("completed")
        assert [agent.answer for agent in router.agents] == [{"answer": "once"}]


def test_an_answer_too_large_may_be_made_smaller(serve: OpenRouter, page: Page) -> None:
    with serve() as router:
        router.script["submit_task"].append(refusal(413, "too_large", "This is too large."))
        page.open(router.address)
        page.type("answer", "a long story")
        page.press("Save")
        page.wait_words("This could not be saved This is too large.")
        assert page.state == "in task"
        page.type("answer", "short")
        page.press("Save")
        page.wait_state("completed")
        assert router.agents[0].answer == {"answer": "short"}


def test_a_file_that_is_gone_when_it_is_sent_is_to_be_chosen_again(
    serve: OpenRouter, page: Page, tmp_path: Path
) -> None:
    photo = tmp_path / "cat.png"
    photo.write_bytes(b"a cat")
    with serve('<form data-crowdd="task"><input type="file" name="photo"></form>') as router:
        page.open(router.address)
        page.wait_state("in task")
        page.find("[name=photo]").send_keys(str(photo))
        moved = photo.rename(tmp_path / "moved.png")
        page.press("Save")
        page.wait_words("cat.png was changed or moved")
        page.find("[name=photo]").send_keys(str(moved))
        page.press("Save")
        page.wait_state("completed")
        assert router.asked[-1].files == {"photo:moved.png": b"a cat"}


def test_a_unit_that_ended_meanwhile_is_closed_in_words(serve: OpenRouter, page: Page) -> None:
    with serve() as router:
        page.open(router.address)
        page.type("answer", "too late")
        router.agents[0].status = "timeout"
        router.script["submit_task"].append(refusal(409, "time_over", "It took too long.", status="timeout"))
        page.press("Save")
        page.wait_state("disconnected")
        page.wait_words("This unit is closed It took too long.")
        page.press("Next")
        page.wait_for("document.querySelector('#words').textContent === 'two'")


def test_a_unit_is_given_back_after_a_second_thought(serve: OpenRouter, page: Page) -> None:
    with serve() as router:
        page.open(router.address)
        page.wait_state("in task")
        page.press("Give back")
        page.press("No, go on")
        assert router.bodies("return_unit") == []
        page.press("Give back")
        page.press("Yes, give back")
        page.wait_state("disconnected")
        returned = router.wait_asked("return_unit")
        assert (returned["USED_AGENT_ID"], "leaving" in returned) == ("agent-1", False)
        page.reload()
        page.wait_words("You gave this unit back.")
        page.press("Next")
        page.wait_for("document.querySelector('#words').textContent === 'two'")


def test_time_is_shown_and_a_warning_comes_before_it_ends(serve: OpenRouter, page: Page) -> None:
    with serve() as router:
        router.time_left_s = 32
        page.open(router.address)
        page.wait_words("0:32 left")
        page.wait_words("Only 0:30 left Please save your answer in time.")
        assert page.state == "in task"


def test_a_page_out_of_time_asks_how_things_stand(serve: OpenRouter, page: Page) -> None:
    with serve(config=b'{"socket": false}') as router:
        router.time_left_s = 1
        page.open(router.address)
        page.wait_words("The time is over")
        router.agents[0].status = "timeout"
        page.wait_state("disconnected")
        page.wait_words("The time for this unit is over")


def test_errors_of_the_page_are_reported_without_the_link(serve: OpenRouter, page: Page) -> None:
    with serve(WORK) as router:
        page.open(router.address, link="t0ken")
        page.wait_state("in task")
        page.run("slip('a slip at ' + location.href)")
        report = router.wait_asked("log_error")
        assert report["USED_AGENT_ID"] == "agent-1"
        assert "a slip" in report["error_data"]["message"]
        page.run("void setTimeout('Promise.reject(new Error(\"nobody caught me\"))')")
        assert "nobody caught me" in router.wait_asked("log_error", 2)["error_data"]["message"]
        assert "t0ken" not in str(router.bodies("log_error"))


def test_a_page_that_fails_without_end_reports_a_few_errors_only(serve: OpenRouter, page: Page) -> None:
    with serve(WORK) as router:
        page.open(router.address)
        page.wait_state("in task")
        page.run("Array.from({length: 50}, (_, number) => slip('slip ' + number))")
        router.wait_asked("log_error", 5)
        page.type("answer", "and work goes on")
        page.press("Save")
        page.wait_state("completed")
        assert len(router.bodies("log_error")) == 5


def test_log_lines_arrive_in_order_and_again_after_trouble(serve: OpenRouter, page: Page) -> None:
    with serve() as router:
        router.script["submit_metadata"].append(refusal(503, "try_later", "Not now.", retry_after_s=1))
        page.open(router.address)
        page.wait_state("in task")
        page.run("[1, 1, 2].forEach((n) => crowdd.log({clicked: n}))")
        router.wait_asked("submit_metadata", 4)
        logs = [body["metadata"]["log"] for body in router.bodies("submit_metadata")]
        assert [log["data"]["clicked"] for log in logs] == [1, 1, 1, 2]
        assert logs[0] == logs[1] != logs[2]


def test_log_lines_that_did_not_get_through_survive_a_reload(serve: OpenRouter, page: Page) -> None:
    with serve() as router:
        router.script["submit_metadata"].append(refusal(503, "try_later", "Not now.", retry_after_s=300))
        page.open(router.address)
        page.wait_state("in task")
        page.run("crowdd.log('before')")
        router.wait_asked("submit_metadata")
        page.reload()
        again = router.wait_asked("submit_metadata", 2)
        assert again["metadata"] == router.bodies("submit_metadata")[0]["metadata"]


def test_an_answer_that_is_no_json_is_the_scripts_error_and_leaves_the_page_usable(
    serve: OpenRouter, page: Page
) -> None:
    with serve() as router:
        page.open(router.address)
        page.wait_state("in task")
        page.run("void (window.loop = {}, window.loop.loop = window.loop)")
        page.run("(() => { try { crowdd.submit(loop); } catch (error) { window.said = error.name; } })()")
        assert page.run("window.said") == "TypeError"
        page.type("answer", "x")
        page.press("Save")
        page.wait_state("completed")


def test_a_worker_at_the_keyboard_may_try_again_and_again(serve: OpenRouter, page: Page) -> None:
    with serve() as router:
        router.script["request_agent"].extend([Reply(503, {"text": "Not now."}, {"Retry-After": "300"})] * 3)
        page.open(router.address)
        page.wait_words("Trying again in")
        page.run("void document.querySelector('#crowdd button').focus()")
        for times in range(2, 5):
            page.wait_for("document.activeElement?.textContent === 'Try now'")
            page.driver.switch_to.active_element.send_keys(Keys.ENTER)
            router.wait_asked("request_agent", times)
        page.wait_state("in task")
