"""A worker who waits for partners: an honest estimate, "Still there?", and what becomes of it."""

import pytest

from .conftest import OpenRouter
from .fake_router import FakeRouter
from .page import Page

pytestmark = pytest.mark.browser

TASK = '<form data-crowdd="task"><p id="words">${text}</p><input name="answer"></form>'
LATER = (
    "window.late = 0; const now = performance.now.bind(performance); performance.now = () => now() + late;"
)
HIDDEN = "Object.defineProperty(document, 'visibilityState', {get: () => 'hidden'});"


def wait_in_room(router: FakeRouter, page: Page) -> None:
    router.live = True
    router.first_status = "waiting"
    page.open(router.address)
    page.wait_state("waiting")
    router.wait_socket()


@pytest.mark.parametrize(
    ("here", "size", "expected_s", "time_left_s", "words"),
    [
        (
            1,
            2,
            170.0,
            None,
            "Waiting for your partner, about 3 min The task starts as soon as everybody is here.",
        ),
        (1, 2, 20.0, 599.0, "Waiting for your partner, less than a minute"),
        (2, 5, None, 130.0, "Waiting for your partners 2 of 5 are here. You wait at most 3 min."),
    ],
)
def test_the_page_says_how_long_the_wait_may_be(
    serve: OpenRouter,
    page: Page,
    here: int,
    size: int,
    expected_s: float | None,
    time_left_s: float | None,
    words: str,
) -> None:
    with serve(TASK) as router:
        router.waiting = {
            "here": here,
            "needed": size,
            "size": size,
            "expected_s": expected_s,
            "limit_s": None,
        }
        router.time_left_s = time_left_s
        wait_in_room(router, page)
        page.wait_words(words)
        assert not page.is_shown("#crowdd .crowdd-time")


def test_the_estimate_is_kept_fresh(serve: OpenRouter, page: Page) -> None:
    with serve(TASK) as router:
        router.waiting = {"here": 1, "needed": 2, "size": 2, "expected_s": 300.0, "limit_s": None}
        wait_in_room(router, page)
        page.wait_words("about 5 min")
        router.waiting = {**router.waiting, "expected_s": 120.0}
        page.wait_words("about 2 min")


def test_the_task_starts_with_the_data_and_the_time_of_its_start(serve: OpenRouter, page: Page) -> None:
    with serve(TASK, units=[{"text": "not yet known"}]) as router:
        wait_in_room(router, page)
        router.agents[0].status, router.agents[0].data = "in task", {"text": "your part"}
        router.time_left_s = 600
        router.push("update_status", {"status": "in task"})
        page.wait_state("in task")
        assert page.find("#words").text == "your part"
        page.wait_words("left")


def test_the_time_of_the_onboarding_is_not_shown_while_waiting(serve: OpenRouter, page: Page) -> None:
    with serve(TASK) as router:
        router.onboarding, router.first_status, router.time_left_s = {}, "waiting", 1800
        page.open(router.address)
        page.wait_state("onboarding")
        page.wait_words("30:00 left")
        router.time_left_s = 290
        page.press("I have read it")
        page.wait_words("You wait at most 5 min.")
        assert not page.is_shown("#crowdd .crowdd-time")


def test_updates_that_come_before_the_start_is_known_are_told_after_it(serve: OpenRouter, page: Page) -> None:
    script = "<script>const told = []; crowdd.on('unit', () => told.push('unit'));"
    script += "crowdd.on('update', ({text}) => told.push(text));</script>"
    with serve(TASK + script) as router:
        wait_in_room(router, page)
        router.say({"text": "one"})
        router.wait_said("ack", lambda data: data["seen"] == 1)
        assert page.run("told") == []
        router.agents[0].status = "in task"
        router.push("update_status", {"status": "in task"})
        page.wait_for("told.length === 2")
        assert page.run("told") == ["unit", "one"]


def test_a_worker_who_looks_elsewhere_is_asked_and_answers(serve: OpenRouter, page: Page) -> None:
    with serve(TASK) as router, page.prepared(HIDDEN):
        router.waiting = {"here": 1, "needed": 2, "size": 2, "expected_s": None, "limit_s": None}
        wait_in_room(router, page)
        router.push("roll_call", {"within_s": 20.0})
        page.wait_words("Still there? It is about to start. Please answer within 20 s.")
        page.wait_for("document.title.includes('Still there?')")
        assert not any(data.get("here") for data in router.said("alive"))
        page.press("Yes, I am here")
        page.wait_words("Waiting for your partner Thank you.")
        router.wait_said("alive", lambda data: data.get("here") is True)
        assert page.run("document.title") == "A task"


def test_a_page_in_use_answers_the_roll_call_by_itself(serve: OpenRouter, page: Page) -> None:
    with serve(TASK) as router:
        wait_in_room(router, page)
        router.push("roll_call", {"within_s": 20.0})
        router.wait_said("alive", lambda data: data.get("here") is True)
        assert "Still there?" not in page.words


def test_a_page_in_sight_that_nobody_used_for_long_asks(serve: OpenRouter, page: Page) -> None:
    with (
        serve(TASK) as router,
        page.prepared(LATER),
    ):
        wait_in_room(router, page)
        page.run("void (window.late = 31000)")
        router.push("roll_call", {"within_s": 20.0})
        page.wait_words("Still there?")
        page.press("Yes, I am here")
        router.wait_said("alive", lambda data: data.get("here") is True)


def test_a_roll_call_that_is_over_or_overtaken_leaves_no_trace(serve: OpenRouter, page: Page) -> None:
    with serve(TASK) as router, page.prepared(HIDDEN):
        wait_in_room(router, page)
        router.push("roll_call", {"within_s": 1.0})
        page.wait_words("Still there?")
        page.wait_words("Waiting for your partner")
        assert page.run("document.title") == "A task"
        router.push("roll_call", {"within_s": 20.0})
        page.wait_words("Still there?")
        router.agents[0].status = "in task"
        router.push("update_status", {"status": "in task"})
        page.wait_state("in task")
        assert page.run("document.title") == "A task"
        assert "Still there?" not in page.words


def test_a_worker_for_whom_nobody_came_reads_why(serve: OpenRouter, page: Page) -> None:
    with serve(TASK) as router:
        wait_in_room(router, page)
        router.agents[0].status = "expired"
        router.push(
            "update_status", {"status": "expired", "reason": "no_partner", "text": "Your wait is paid."}
        )
        page.wait_words("No partner came Your wait is paid.")
        assert page.state == "disconnected"


def test_a_worker_whose_partner_left_may_save_what_they_have(serve: OpenRouter, page: Page) -> None:
    script = "<script>crowdd.on('state', () => { (window.reasons ??= []).push(crowdd.reason); });</script>"
    with serve(TASK + script) as router:
        router.live = True
        page.open(router.address)
        page.type("answer", "half")
        router.wait_socket()
        router.agents[0].status = "partner disconnect"
        left = {"status": "partner disconnect", "reason": "partner_left", "text": "Your partner has left."}
        router.push("update_status", left)
        page.wait_words("Your partner has left You did nothing wrong.")
        assert page.run("reasons.includes('partner_left')")
        page.reload()
        page.wait_words("Your partner has left")
        page.press("Save")
        page.wait_state("completed")
        assert router.agents[0].answer == {"answer": "half"}


def test_a_page_without_a_form_offers_to_finish_when_the_partner_left(serve: OpenRouter, page: Page) -> None:
    with serve('<section data-crowdd="task"><p>${text}</p></section>') as router:
        router.live = True
        page.open(router.address)
        router.wait_socket()
        router.push("update_status", {"status": "partner disconnect", "text": "Bo had to go."})
        page.wait_words("Your partner has left Bo had to go.")
        page.press("Finish")
        page.wait_state("completed")
        assert router.agents[0].answer == {}
