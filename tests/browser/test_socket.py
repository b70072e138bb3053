"""What reaches a page by its socket: statuses for every task, updates for live ones."""

import pytest

from .conftest import OpenRouter
from .page import Page

pytestmark = pytest.mark.browser


def test_a_page_says_on_its_socket_whose_it_is(serve: OpenRouter, page: Page) -> None:
    with serve() as router:
        page.open(router.address)
        router.wait_socket()
        alive = router.bodies("websocket")[0]
        assert (alive["packet_type"], alive["subject_id"]) == ("alive", "agent-1")


def test_a_static_page_works_without_a_socket(serve: OpenRouter, page: Page) -> None:
    body = "<script>window.WebSocket = class { constructor() { throw new Error('forbidden'); } };</script>"
    with serve(body + "<form data-crowdd='task'><input name='answer'></form>") as router:
        page.open(router.address)
        page.type("answer", "x")
        page.press("Save")
        page.wait_state("completed")
        assert router.bodies("websocket") == []


def test_a_pause_of_the_service_keeps_the_work_and_ends_by_itself(serve: OpenRouter, page: Page) -> None:
    with serve() as router:
        page.open(router.address)
        page.type("answer", "half a thought")
        router.wait_socket()
        router.push("update_status", {"status": "disconnect", "reason": "shutdown", "text": "Back soon."})
        page.wait_state("disconnected")
        page.wait_words("Paused Back soon.")
        assert page.find("[name=answer]").get_attribute("value") == "half a thought"
        page.wait_state("in task")
        page.wait_words("You can go on")
        page.press("Save")
        page.wait_state("completed")
        assert router.agents[0].answer == {"answer": "half a thought"}


def test_an_answer_given_during_a_pause_is_saved_after_it(serve: OpenRouter, page: Page) -> None:
    with serve() as router:
        page.open(router.address)
        page.type("answer", "in between")
        router.wait_socket()
        router.push("update_status", {"status": "disconnect", "reason": "shutdown"})
        page.wait_words("Paused")
        page.press("Save")
        page.wait_state("completed")
        assert router.agents[0].answer == {"answer": "in between"}


def test_a_unit_that_ends_under_the_worker_is_closed_in_words(serve: OpenRouter, page: Page) -> None:
    with serve() as router:
        page.open(router.address)
        router.wait_socket()
        router.agents[0].status = "expired"
        router.push("update_status", {"status": "expired", "reason": "expired", "text": "Not needed."})
        page.wait_state("disconnected")
        page.wait_words("This unit is closed Not needed.")
        page.press("Next")
        page.wait_for("document.querySelector('#words').textContent === 'two'")


def test_a_waiting_worker_starts_when_the_service_says_so(serve: OpenRouter, page: Page) -> None:
    with serve() as router:
        router.first_status = "waiting"
        page.open(router.address)
        page.wait_state("waiting")
        assert not page.is_shown("#words")
        router.wait_socket()
        router.agents[0].status = "in task"
        router.push("update_status", {"status": "in task"})
        page.wait_state("in task")
        assert page.find("#words").text == "one"


def test_a_page_that_is_left_says_so_and_keeps_its_unit(serve: OpenRouter, page: Page) -> None:
    with serve() as router:
        page.open(router.address)
        page.wait_state("in task")
        page.driver.get("about:blank")
        left = router.wait_asked("return_unit")
        assert (left["USED_AGENT_ID"], left["leaving"]) == ("agent-1", True)
        assert router.agents[0].status == "in task"


def test_a_lost_socket_is_opened_again(serve: OpenRouter, page: Page) -> None:
    with serve() as router:
        page.open(router.address)
        router.wait_socket()
        router.drop_sockets()
        router.wait_socket()
        router.push("update_status", {"status": "timeout", "text": "Over."})
        page.wait_words("Over.")


def test_live_updates_go_both_ways_and_repeats_are_dropped(serve: OpenRouter, page: Page) -> None:
    with serve() as router:
        page.open(router.address)
        page.run("crowdd.on('update', ({text}) => { (window.heard ??= []).push(text); })")
        router.wait_socket()
        for text, update_id in (("one", "a"), ("one", "a"), ("two", "b")):
            router.push("client_bound_live_update", {"text": text, "update_id": update_id})
        page.wait_for("window.heard?.includes('two')")
        assert page.run("window.heard") == ["one", "two"]
        page.run("crowdd.send({text: 'hello'})")
        router.wait_asked("websocket", 2)
        sent = [packet for packet in router.bodies("websocket") if packet["packet_type"] != "heartbeat"][-1]
        assert (sent["packet_type"], sent["data"]["text"]) == ("mephisto_bound_live_update", "hello")
