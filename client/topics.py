"""crowdctl's commands by topic, each with the examples that its help ends with."""

from collections.abc import Mapping, Sequence

Examples = Sequence[tuple[str, str]]
"""What to type after `crowdctl`, and what it does; words that the help says already may be left out."""

TOPICS: Mapping[str, Mapping[str, Examples]] = {
    "Launch and invite": {
        "launch": (
            ("launch my-task", ""),
            ("launch my-task --dry-run", "what would run, and everything that is wrong"),
            ("launch my-task pay.reward=0.25 blueprint.units_per_assignment=3", ""),
        ),
        "options": (
            ("options", "the plug-ins there are, a line each"),
            ("options task", "all of task.toml"),
            ("options blueprint static", "what [blueprint] takes"),
            ("options my-task", "what can be set for this task"),
        ),
        "links": (
            ("links digits --workers ann,bob", "for people you know"),
            ("links digits --count 20 --json | jq -r '.[].url' | xargs crowdd bots", ""),
        ),
        "revoke": (
            ("revoke 'http://127.0.0.1:8100/?link=eyJ...'", ""),
            ("revoke --run names --worker ann", ""),
            ("revoke inhouse:ann trained", "a qualification, not a link"),
        ),
    },
    "Follow": {
        "status": (("status", ""), ("status --json | jq .stopping", "")),
        "runs": (("runs", ""), ("runs --state running --state draining", "those that are on")),
        "show": (("show digits", ""), ("show 12 --json | jq .config.limits", "")),
        "watch": (("watch digits", ""), ("watch digits --json | jq .units_done", "")),
        "wait": (
            ("wait digits && crowdctl export digits -o digits.jsonl", ""),
            ("wait digits names --timeout 3600", "not longer than an hour"),
        ),
        "units": (("units digits", ""), ("units digits --status expired", "")),
        "agents": (("agents digits", ""), ("agents digits --status 'in task'", "who is at work")),
        "errors": (("errors digits", ""), ("errors digits --traceback", "with where each happened")),
    },
    "Answers": {
        "owed": (
            ("owed game", ""),
            ("owed game --json | jq 'map(.cents) | add'", "all of it, in cents"),
        ),
        "late": (
            ("late digits", ""),
            ("late digits --json | jq '.[].data'", "what they say"),
        ),
        "export": (
            ("export digits -o digits.jsonl", ""),
            ("export digits --format csv > digits.csv", ""),
        ),
    },
    "Judge the work": {
        "approve": (
            ("approve 12 13 14", "the work of these agents"),
            ("approve --unit 7", "whoever submitted it"),
            ("approve --run digits --worker inhouse:ann", "all of theirs that is not reviewed"),
            ("agents digits --json | jq '.[0].id' | xargs crowdctl approve", ""),
        ),
        "soft-reject": (("soft-reject 12 --note 'half of it is empty'", ""),),
        "reject": (
            ("reject 12 --note 'every answer is the same'", ""),
            ("reject --run digits --worker 7 --note 'answers at random' --yes", ""),
        ),
        "pay-late": (
            ("pay-late digits 3 4", "what their units are worth"),
            ("pay-late digits 3 --amount 0.10 --note 'thank you all the same'", ""),
        ),
    },
    "Change a run": {
        "extend": (
            ("extend digits --rows more.jsonl", ""),
            ("extend digits --max-concurrent-units 50 --pay 0.30", ""),
            ("extend digits --time 3600 --agents", "those at work get it, too"),
        ),
        "pause": (("pause digits", ""), ("pause digits --why 'the server moves'", "")),
        "resume": (("resume digits", ""),),
        "stop": (
            ("stop digits", "who is at work may finish"),
            ("stop digits --now", "does not wait for them"),
        ),
        "expire": (("expire digits", ""),),
        "delete": (("delete digits", "asks first"), ("delete digits --yes", "for scripts")),
    },
    "People": {
        "workers": (("workers", ""), ("workers --provider inhouse --json", "")),
        "worker": (("worker 12", ""), ("worker inhouse:ann", "")),
        "why": (
            ("why worker inhouse:ann --run digits", "what they were told, and from which facts"),
            ("why unit 7", "who had it, and how it came back"),
            ("why agent 12 --json | jq '.decisions[].facts'", ""),
        ),
        "qualifications": (
            ("qualifications", ""),
            ("qualifications create trained --description 'passed the training'", ""),
            ("qualifications describe trained", "and who has it"),
            ("qualifications history trained", "who gave it to whom, and why"),
            ("qualifications delete trained", "asks first"),
        ),
        "grant": (
            ("grant inhouse:ann trained", ""),
            ("grant 12 score 85 --why 'third test'", ""),
            ("grant - trained < people.txt", "one worker a line"),
            ("grant inhouse:cleo trained --ahead", "who has not come yet"),
            ("workers --json | jq '.[].id' | crowdctl grant - known", ""),
        ),
        "block": (
            ("block inhouse:ann --reason 'answers at random'", ""),
            ("block - --reason 'the same answer everywhere' < suspects.txt", ""),
        ),
        "unblock": (("unblock inhouse:ann --reason 'it was the page'", ""),),
    },
    "The daemon": {
        "audit": (
            ("audit", "who changed what"),
            ("audit --about digits --json | jq '.[] | [.uid, .pid, .what]'", ""),
        ),
        "log": (
            ("log", "the parts"),
            ("log daemon.worker_pool debug", "one part, in detail"),
            ("log all info", "all of them as usual"),
        ),
        "disk": (("disk", ""),),
        "backup": (("backup crowdd-backup.tar", "everything, with all secrets, while work goes on"),),
        "reload": (("reload", "after a change of crowdd.toml"),),
        "restart": (("restart", "after an upgrade was installed"),),
    },
}
OTHER = "Other"


def topic_of(name: str) -> str:
    """Under which heading a command is listed."""
    return next((topic for topic, commands in TOPICS.items() if name in commands), OTHER)


def examples_of(name: str) -> str | None:
    """The end of a command's help, as click wants it; None: no examples are known."""
    examples = next((commands[name] for commands in TOPICS.values() if name in commands), ())
    if not examples:
        return None
    width = max((len(typed) for typed, said in examples if said), default=0)
    lines = [f"  crowdctl {typed:{width}}  {said}".rstrip() for typed, said in examples]
    return "\n".join(["\b", "Examples:", *lines])
