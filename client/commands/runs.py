"""crowdctl runs, show, status: what there is."""

import click

from .. import shapes
from ..client import Client
from ..terminal import counted, local_time, safe, say, say_facts, say_json, say_table
from .options import json_option, pass_client, run_argument
from .owed import long

OWED_SHOWN_MAX = 5
ROOMS_SHOWN_MAX = 5


@click.command()
@click.option("--state", "states", multiple=True, metavar="STATE", help="Only these; may be repeated.")
@json_option
@pass_client
def runs(client: Client, states: tuple[str, ...], as_json: bool) -> None:
    """List task runs, newest first."""
    found = client.runs(states)[::-1]
    if as_json:
        say_json(found)
    elif found:
        say_table(
            ["RUN", "LABEL", "TASK", "STATE", "DONE", "AT WORK", "LAUNCHED"],
            [
                [
                    r.id,
                    r.label,
                    r.task,
                    state_of(r),
                    done_of(r),
                    r.agents_live,
                    local_time(r.created_at),
                ]
                for r in found
            ],
        )
    elif states:
        say(f"No runs are {safe(' or '.join(states))}.")
    else:
        say("No runs yet. Launch one: crowdctl launch DIR")


def state_of(progress: "shapes.Progress") -> str:
    """The state, and whether it is paused, is being deleted, or something is wrong."""
    facts = {"paused": progress.paused, "deleting": progress.deleting, "trouble": progress.trouble}
    more = [name for name, holds in facts.items() if holds]
    return f"{progress.state} ({', '.join(more)})" if more else progress.state


def done_of(progress: "shapes.Progress") -> str:
    """`37/100`, with `+` while the data may go on."""
    more = "" if progress.rows_done else "+"
    return f"{progress.units_done}/{progress.units_total}{more}"


@click.command()
@run_argument
@json_option
@pass_client
def show(client: Client, run: str, as_json: bool) -> None:
    """Show one run: state, progress, address, routers."""
    details = client.show(run)
    if as_json:
        say_json(details)
        return
    say(f"{safe(details.label)} (run {details.id})")
    say_facts(_facts(details))


def _facts(run: "shapes.RunDetails") -> list[tuple[str, object]]:
    facts: list[tuple[str, object]] = [
        ("Task", run.task),
        ("State", run.state),
        ("Paused", _pause(run)),
        ("Trouble", run.trouble),
        ("Address", run.address),
        ("Units", f"{done_of(run)} done" + _by_status(run.units)),
        ("Agents", f"{run.agents_live} at work" + _by_status(run.agents)),
        ("Blueprint", run.blueprint),
        ("Provider", run.provider + (" (sandbox)" if run.sandbox else "")),
        ("Architect", run.architect),
    ]
    facts += [("Router", router_line(router)) for router in run.routers]
    facts += [("Waiting", room_line(room)) for room in run.rooms[:ROOMS_SHOWN_MAX]]
    facts += [
        ("Waiting", _more(len(run.rooms) - ROOMS_SHOWN_MAX)),
        ("Refused", _refusals(run.counters)),
        ("Too late", f"{counted(run.late, 'answer')}: crowdctl late {run.label}" if run.late else ""),
        *[("Owed", owed_line(owed)) for owed in run.owed[:OWED_SHOWN_MAX]],
        ("Owed", _more(len(run.owed) - OWED_SHOWN_MAX)),
        ("Launched", local_time(run.created_at)),
        ("Last answer", local_time(run.last_submission_at)),
        ("Ended", local_time(run.ended_at)),
    ]
    return facts


def _pause(run: "shapes.RunDetails") -> str:
    """Since when, by whom and why; and how it ends."""
    pause = run.pause
    if pause is None:
        return ""
    return f"since {local_time(pause.at)} by {pause.who}: {pause.why}; crowdctl resume {run.label}"


def owed_line(owed: "shapes.OwedInfo") -> str:
    """What the provider is still to be told, and why it was not."""
    whom = f"worker {owed.worker_id}" if owed.agent_id is None else f"agent {owed.agent_id}"
    said = f", {counted(owed.tries, 'time')} in vain: {owed.error}" if owed.error else ""
    return f"the provider is to {owed.call.replace('_', '-')} {whom}{said}"


def room_line(room: "shapes.RoomInfo") -> str:
    """A group that forms: who is there, for how long, and until when at the latest."""
    more = {"away": room.away, "simulated": room.simulated}
    others = "".join(f", {count} {what}" for what, count in more.items() if count)
    left = "" if room.left_s is None else f", {long(room.left_s)} more at most"
    here = f"{room.here} of {room.size} here{others}"
    return f"assignment {room.assignment_id}: {here}; for {long(room.waited_s)}{left}"


def _more(number: int) -> str:
    return f"{number} more; --json lists them" if number > 0 else ""


def _refusals(counters: dict[str, int]) -> str:
    """What pages were refused, by the daemon and by the run's routers, by reason."""
    refused: dict[str, int] = {}
    for name, count in counters.items():
        where, _, reason = name.partition("refused_")
        if where in ("", "router_") and reason:
            refused[reason] = refused.get(reason, 0) + count
    return ", ".join(f"{count} {reason}" for reason, count in refused.items())


def _by_status(counts: dict[str, int]) -> str:
    return f" ({', '.join(f'{count} {status}' for status, count in counts.items())})" if counts else ""


def _allowed(role: str) -> str:
    return {"view": "look, and change nothing", "operate": "operate, but not launch or pay"}.get(role, role)


def degradation_line(lack: "shapes.Degradation") -> str:
    """What is missing, and what follows from it."""
    return f"{lack.about}: {lack.words}" if lack.about else lack.words


def router_line(router: "shapes.RouterInfo") -> str:
    """A router, whether it is up, and since when."""
    since = f" since {local_time(router.since)}" if router.since else ""
    addition = f": {router.addition}" if router.addition else ""
    return f"{router.name} {'up' if router.up else 'away'}{since}{addition}{_kept_by(router)}"


def _kept_by(router: "shapes.RouterInfo") -> str:
    """What it told pages is submitted, and has not brought yet."""
    kept = router.outbox.get("answers", 0)
    return f"; keeps {counted(kept, 'answer')} for the daemon" if kept else ""


@click.command()
@json_option
@pass_client
def status(client: Client, as_json: bool) -> None:
    """Say whether the daemon runs and how it is."""
    answer = client.status()
    if as_json:
        say_json(answer)
        return
    stopping = " It is stopping." if answer.stopping else ""
    say(f"The daemon is up: crowdd {safe(answer.version)}.{stopping}")
    if answer.role not in ("", "pay"):
        say(f"You are {safe(answer.you)} and may {safe(_allowed(answer.role))}.")
    for lack in answer.degraded:
        say(f"Degraded since {local_time(lack.since)}: {safe(degradation_line(lack))}")
    held = client.runs(["launching", "running", "draining"])
    say(f"{counted(len(held), 'unfinished run')}." + ("" if held else " Launch one: crowdctl launch DIR"))
    for run in held:
        routers = "".join(f"; router {safe(router_line(router))}" for router in run.routers)
        say(f"  {safe(run.label)}: {safe(state_of(run))}, {done_of(run)} done{routers}")
        if run.trouble:
            say(f"    {safe(run.trouble)}")
