"""A page that talks with the task's code: nothing lost, nothing twice, all in order, whatever happens."""

import pytest

from .conftest import OpenRouter
from .fake_router import FakeRouter
from .page import Page

pytestmark = pytest.mark.browser

SCRIPT = """
<script>
  const line = (who, {text}) => {
    const item = Object.assign(document.createElement("li"), {textContent: `${who}: ${text}`});
    document.querySelector("#talk").append(item);
  };
  crowdd.on("unit", () => document.querySelector("#talk").replaceChildren());
  crowdd.on("sent", (update) => line("me", update));
  crowdd.on("update", (update) => line("you", update));
  const say = (...words) => words.every((text) => crowdd.send({text}));
</script>
"""
TALK = f'<form data-crowdd="task"><h1 id="words">${{text}}</h1><ol id="talk"></ol></form>{SCRIPT}'
FORBIDDEN = "Object.defineProperty(window, 'localStorage', {get() { throw new Error('forbidden'); }});"
FULL = """
for (let size = 2 ** 22; size; size = Math.floor(size / 2)) {
  try { for (;;) localStorage.setItem("other" + Math.random(), "x".repeat(size)); } catch { /* full */ }
}
"""


def talk_of(page: Page) -> list[str]:
    lines: list[str] = page.run("[...document.querySelectorAll('#talk li')].map((item) => item.textContent)")
    return lines


def wait_talk(page: Page, *lines: str) -> None:
    page.wait_for(f"document.querySelectorAll('#talk li').length >= {len(lines)}")
    assert talk_of(page) == list(lines)


def sit_down(router: FakeRouter, page: Page) -> None:
    """A live unit is on the page, and its socket is there."""
    router.live = True
    page.open(router.address)
    page.wait_state("in task")
    router.wait_socket()


def words_said(router: FakeRouter) -> list[object]:
    """The words of every live update as it came, repeats included."""
    return [data["text"] for data in router.said("mephisto_bound_live_update")]


def kept(page: Page) -> list[str]:
    return [name for name in page.stored() if name.startswith("crowdd:live:")]


def test_a_talk_goes_both_ways_and_what_is_stored_is_called_saved(serve: OpenRouter, page: Page) -> None:
    with serve(TALK) as router:
        sit_down(router, page)
        assert page.find("#words").text == "one"
        page.wait_words("Connected")
        assert page.run("say('hello')") is True
        router.wait_heard(1)
        router.say({"text": "hi"})
        wait_talk(page, "me: hello", "you: hi")
        page.wait_words("Saved")
        assert kept(page) == []
        alive = router.said("alive")[0]
        assert (alive["crowdd"], alive["seen"]) == (1, 0)
        assert router.wait_said("ack", lambda data: data["seen"] == 1)


def test_a_page_reloaded_in_mid_talk_is_whole_again(serve: OpenRouter, page: Page) -> None:
    with serve(TALK) as router:
        sit_down(router, page)
        page.run("say('one', 'two')")
        router.wait_heard(2)
        router.say({"text": "three"})
        wait_talk(page, "me: one", "me: two", "you: three")
        page.reload()
        wait_talk(page, "me: one", "me: two", "you: three")
        router.wait_said("alive", lambda data: data["seen"] == 1)
        router.say({"text": "four"})
        wait_talk(page, "me: one", "me: two", "you: three", "you: four")


def test_what_was_on_its_way_at_a_reload_arrives_before_what_is_said_after_it(
    serve: OpenRouter, page: Page
) -> None:
    with serve(TALK) as router:
        sit_down(router, page)
        router.deaf = True
        page.run("say('one', 'two')")
        router.wait_said("mephisto_bound_live_update", lambda data: data["text"] == "two")
        page.reload()
        page.wait_state("in task")
        wait_talk(page, "me: one", "me: two")
        router.wait_said("mephisto_bound_live_update", lambda _: words_said(router).count("two") == 2)
        router.deaf = False
        page.run("say('three')")
        talk = router.wait_heard(3)
        assert talk.words == ["one", "two", "three"]
        page.wait_words("Saved")
        wait_talk(page, "me: one", "me: two", "me: three")
        assert kept(page) == []


def test_what_a_dying_router_took_along_is_sent_again(serve: OpenRouter, page: Page) -> None:
    with serve(TALK) as router:
        sit_down(router, page)
        page.run("say('one')")
        router.wait_heard(1)
        router.deaf = True
        page.run("say('two', 'three')")
        router.wait_said("mephisto_bound_live_update", lambda data: data["text"] == "three")
        router.drop_sockets()
        router.deaf = False
        page.run("say('four')")
        assert router.wait_heard(4).words == ["one", "two", "three", "four"]
        assert words_said(router)[3:] == ["two", "three", "four"]
        wait_talk(page, "me: one", "me: two", "me: three", "me: four")


def test_what_nobody_acknowledged_is_sent_again_on_the_same_line(serve: OpenRouter, page: Page) -> None:
    with serve(TALK) as router:
        sit_down(router, page)
        router.deaf = True
        page.run("say('one', 'two')")
        page.wait_words("Sending")
        router.deaf = False
        assert router.wait_heard(2).words == ["one", "two"]
        page.wait_words("Saved")


def test_a_page_without_network_keeps_what_is_said_and_says_so(serve: OpenRouter, page: Page) -> None:
    with serve(TALK) as router:
        sit_down(router, page)
        page.offline()
        try:
            router.drop_sockets()
            page.wait_words("Offline")
            page.run("say('one', 'two')")
            page.wait_words("Offline, kept on this page")
            assert len(kept(page)) == 2
            router.agents[0].talk.say({"text": "meanwhile"})
        finally:
            page.offline(False)
        assert router.wait_heard(2).words == ["one", "two"]
        wait_talk(page, "me: one", "me: two", "you: meanwhile")
        page.wait_words("Saved")


def test_a_lost_line_is_called_so_until_it_is_back(serve: OpenRouter, page: Page) -> None:
    with serve(TALK) as router:
        sit_down(router, page)
        page.wait_words("Connected")
        router.refuses_sockets = True
        router.drop_sockets()
        page.wait_words("Reconnecting")
        router.refuses_sockets = False
        page.wait_words("Connected")


def test_updates_that_come_twice_or_early_are_told_once_in_order(serve: OpenRouter, page: Page) -> None:
    with serve(TALK) as router:
        sit_down(router, page)
        talk = router.agents[0].talk
        for text in ("one", "two", "three", "four"):
            talk.say({"text": text})
        for number in (1, 3, 3, 1, 2, 2, 4, 3):
            router.deliver(number)
        wait_talk(page, "you: one", "you: two", "you: three", "you: four")
        router.wait_said("ack", lambda data: data["seen"] == 4)
        assert len(router.said("alive")) == 1


def test_an_update_that_does_not_come_is_fetched_by_a_new_connection(serve: OpenRouter, page: Page) -> None:
    with serve(TALK) as router:
        sit_down(router, page)
        router.say({"text": "one"})
        router.agents[0].talk.say({"text": "two"})
        router.say({"text": "three"})
        wait_talk(page, "you: one")
        wait_talk(page, "you: one", "you: two", "you: three")
        assert router.wait_said("alive", lambda data: data["seen"] == 1)


def test_a_registration_that_knows_more_than_the_line_brought_tells_it_once(
    serve: OpenRouter, page: Page
) -> None:
    with serve(TALK) as router:
        sit_down(router, page)
        talk = router.agents[0].talk
        talk.say({"text": "one"})
        router.push("update_status", {"status": "disconnect", "reason": "shutdown"})
        wait_talk(page, "you: one")
        page.wait_state("in task")
        router.deliver(1)
        router.push("update_status", {"status": "disconnect", "reason": "shutdown"})
        router.wait_asked("request_agent", 3)
        page.wait_state("in task")
        router.say({"text": "two"})
        wait_talk(page, "you: one", "you: two")


def test_who_takes_over_a_place_hears_what_was_said_to_the_one_before(serve: OpenRouter, page: Page) -> None:
    with serve(TALK) as router:
        router.live = True
        page.open(router.address)
        page.wait_state("in task")
        router.agents[0].talk.past.append({"update_id": "p17.1", "text": "before your time"})
        router.say({"text": "welcome"})
        page.reload()
        wait_talk(page, "you: before your time", "you: welcome")
        router.say({"text": "now"})
        wait_talk(page, "you: before your time", "you: welcome", "you: now")


def test_a_burst_of_a_hundred_arrives_whole_both_ways(serve: OpenRouter, page: Page) -> None:
    with serve(TALK) as router:
        sit_down(router, page)
        page.run("say(...Array(100).keys())")
        router.say(*({"text": number} for number in range(100)))
        assert router.wait_heard(100).words == list(range(100))
        page.wait_for("document.querySelectorAll('#talk li').length === 200")
        assert talk_of(page)[100:] == [f"you: {number}" for number in range(100)]
        page.wait_words("Saved")
        assert kept(page) == []


def test_no_more_is_under_way_than_the_router_bears(serve: OpenRouter, page: Page) -> None:
    with serve(TALK) as router:
        sit_down(router, page)
        router.deaf = True
        page.run("say(...Array(200).keys())")
        router.wait_said("mephisto_bound_live_update", lambda data: data["text"] == 127)
        router.drop_sockets()
        assert {data["text"] for data in router.said("mephisto_bound_live_update")} == set(range(128))
        router.deaf = False
        assert router.wait_heard(200).words == list(range(200))


def test_large_updates_go_a_few_at_a_time(serve: OpenRouter, page: Page) -> None:
    with serve(TALK) as router:
        sit_down(router, page)
        router.deaf = True
        page.run("say(...Array.from({length: 12}, (_, number) => number + 'x'.repeat(180_000)))")
        router.wait_said("mephisto_bound_live_update", lambda data: data["text"][0] == "4")
        router.drop_sockets()
        assert len({data["update_id"] for data in router.said("mephisto_bound_live_update")}) == 5
        router.deaf = False
        assert [int(text.rstrip("x")) for text in router.wait_heard(12).words] == list(range(12))


def test_two_tabs_of_one_worker_do_not_disturb_each_other(serve: OpenRouter, page: Page) -> None:
    with serve(TALK) as router:
        sit_down(router, page)
        first = page.driver.current_window_handle
        page.driver.switch_to.new_window("tab")
        page.open(router.address)
        page.wait_state("in task")
        router.wait_socket(2)
        page.run("say('from the second')")
        router.wait_heard(1)
        page.driver.switch_to.window(first)
        page.run("say('from the first')")
        router.wait_heard(2)
        router.say({"text": "to both"})
        wait_talk(page, "me: from the first", "you: to both")
        page.driver.switch_to.window(page.driver.window_handles[-1])
        wait_talk(page, "me: from the second", "you: to both")
        assert router.agents[0].talk.words == ["from the second", "from the first"]


def test_what_a_closed_tab_left_is_sent_by_the_other(serve: OpenRouter, page: Page) -> None:
    with serve(TALK) as router:
        sit_down(router, page)
        first = page.driver.current_window_handle
        page.driver.switch_to.new_window("tab")
        page.open(router.address)
        page.wait_state("in task")
        router.wait_socket(2)
        router.deaf = True
        page.run("say('the last word')")
        router.wait_said("mephisto_bound_live_update", lambda data: data["text"] == "the last word")
        page.driver.close()
        page.driver.switch_to.window(first)
        router.deaf = False
        assert router.wait_heard(1).words == ["the last word"]
        page.wait_for("!Object.keys(localStorage).some((name) => name.startsWith('crowdd:live:'))")


@pytest.mark.parametrize("hindrance", [FORBIDDEN, FULL], ids=["forbidden", "full"])
def test_a_browser_that_keeps_nothing_is_asked_to_stay(serve: OpenRouter, page: Page, hindrance: str) -> None:
    with serve(TALK) as router, page.prepared(hindrance):
        sit_down(router, page)
        router.deaf = True
        page.run("say('one', 'two')")
        page.wait_words("Sending … Please keep this page open")
        router.drop_sockets()
        router.deaf = False
        assert router.wait_heard(2).words == ["one", "two"]
        page.wait_words("Saved")
        if hindrance == FULL:
            page.run("localStorage.clear()")


def test_an_answer_waits_for_what_was_said_before_it(serve: OpenRouter, page: Page) -> None:
    with serve(TALK) as router:
        sit_down(router, page)
        router.deaf = True
        page.run("say('before')")
        page.run("void crowdd.submit({done: true})")
        page.wait_words("Saving … Your last messages go first.")
        assert page.run("crowdd.send({text: 'after'})") is False
        assert router.bodies("submit_task") == []
        router.deaf = False
        page.wait_state("completed")
        assert router.agents[0].talk.words == ["before"]
        assert kept(page) == []
        assert not page.is_shown("#crowdd .crowdd-link")


def test_an_answer_may_be_saved_without_what_does_not_get_through(serve: OpenRouter, page: Page) -> None:
    with serve(TALK) as router:
        sit_down(router, page)
        router.deaf = True
        page.run("say('lost')")
        page.run("void crowdd.submit({done: true})")
        page.press("Save without them")
        page.wait_state("completed")
        assert router.agents[0].answer == {"done": True}
        assert kept(page) == []


def test_an_answer_given_during_a_pause_of_the_service_waits_for_the_talk(
    serve: OpenRouter, page: Page
) -> None:
    with serve(TALK) as router:
        sit_down(router, page)
        router.push("update_status", {"status": "disconnect", "reason": "shutdown"})
        page.wait_words("Paused")
        router.deaf = True
        assert page.run("say('in the pause')") is True
        page.wait_words("Kept on this page")
        page.run("void crowdd.submit({done: true})")
        router.wait_asked("request_agent", 2)
        router.deaf = False
        page.wait_state("completed")
        assert router.agents[0].talk.words == ["in the pause"]


def test_an_agent_that_is_over_leaves_nothing_to_send(serve: OpenRouter, page: Page) -> None:
    with serve(TALK) as router:
        sit_down(router, page)
        router.deaf = True
        page.run("say('too late')")
        router.agents[0].status = "timeout"
        router.push("update_status", {"status": "timeout", "text": "Over."})
        page.wait_words("This unit is closed Over.")
        assert kept(page) == []
        assert page.run("say('much too late')") is False
        page.press("Next")
        page.wait_for("document.querySelector('#words').textContent === 'two'")
        router.deaf = False
        page.run("say('to the next')")
        assert router.wait_heard(1).words == ["to the next"]


def test_a_talk_in_the_onboarding_goes_on_in_the_unit_on_a_line_of_its_own(
    serve: OpenRouter, page: Page
) -> None:
    onboarding = '<section data-crowdd="onboarding"><p>Say hello.</p></section>'
    with serve(onboarding + TALK) as router:
        router.live = True
        router.onboarding = {}
        page.open(router.address)
        page.wait_state("onboarding")
        router.wait_socket()
        page.run("say('hello')")
        assert router.wait_heard(1).words == ["hello"]
        router.say({"text": "welcome"})
        wait_talk(page, "me: hello", "you: welcome")
        page.press("I have read it")
        page.wait_state("in task")
        page.run("say('at work')")
        assert router.wait_heard(1).words == ["at work"]
        assert router.agents[-1].id == "agent-2"
        router.say({"text": "good"})
        wait_talk(page, "me: at work", "you: good")
        assert router.agents[0].talk.words == ["hello"]


def test_an_onboarding_that_the_tasks_code_has_ended_goes_on_by_itself(serve: OpenRouter, page: Page) -> None:
    with serve('<section data-crowdd="onboarding"><p>Say hello.</p></section>' + TALK) as router:
        router.live = True
        router.onboarding = {}
        page.open(router.address)
        page.wait_state("onboarding")
        router.wait_socket()
        router.push("update_status", {"status": "waiting"})
        page.wait_state("in task")
        assert router.agents[0].answer == {}


def test_listeners_that_come_late_hear_the_whole_talk_in_order(serve: OpenRouter, page: Page) -> None:
    with serve(TALK) as router:
        sit_down(router, page)
        page.run("say('one')")
        router.wait_heard(1)
        router.say({"text": "two"})
        wait_talk(page, "me: one", "you: two")
        page.run("void (window.late = [])")
        page.run("crowdd.on('update', ({text}) => late.push(text))")
        page.run(
            "[...'x'].forEach(() => { crowdd.on('update', (u) => late.push('you ' + u.text)); "
            "crowdd.on('sent', (u) => late.push('me ' + u.text)); })"
        )
        page.wait_for("late.length === 3")
        assert page.run("late") == ["two", "me one", "you two"]
        router.say({"text": "three"})
        page.wait_for("late.length === 5")


@pytest.mark.parametrize(
    ("update", "words"),
    [
        ("'text'", "an update is an object"),
        ("{text: 'x'.repeat(300000)}", "has at most"),
        ("[...Array(60)].reduce((inner) => ({inner}), {})", "nested 50 deep"),
    ],
)
def test_what_could_never_arrive_is_refused_at_once(
    serve: OpenRouter, page: Page, update: str, words: str
) -> None:
    with serve(TALK) as router:
        sit_down(router, page)
        attempt = f"try {{ crowdd.send({update}); }} catch (error) {{ return error.message; }}"
        assert words in page.run(f"(() => {{ {attempt} }})()")
        page.run("say('fine')")
        assert router.wait_heard(1).words == ["fine"]
