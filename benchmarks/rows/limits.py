"""What limits each row, in a line for the table of README.md; limits/ tells how that is known."""

from collections.abc import Mapping

from ..instrument.summary import Limit

_ROUTER = "the router, a frame in and two out for each message, and the link's packets at both ends"
_STORED = "what a message stores: four rows, five pages of the log"
_DAEMON = "the daemon: its loop and its writing thread share one interpreter"
_FEW = "few messages share a commit and a wake-up; Mephisto's wait for its clock of 50 ms, ours for the CPU"

LIMITS: Mapping[str, Limit] = {
    "relay-memory-64": Limit("relay", _ROUTER),
    "relay-memory-256": Limit("relay", _ROUTER),
    "relay-64": Limit("relay", _STORED),
    "relay-256": Limit("relay", _STORED),
    "codec": Limit("codec", "msgpack itself, two thirds of it"),
    "transactions": Limit("transactions", "two rows and a commit in the writing thread, and the loop"),
    "transactions-alone": Limit("transactions", "the disk: a commit each"),
    "choosing": Limit("transactions", "what a reservation reads and writes, whatever the size of the run"),
    "posts": Limit("posts", "the writing thread, then the daemon's loop and the router"),
    "launch": Limit("launch", "the daemon: loop, writing thread and other threads, some third each"),
    "registration": Limit("posts", _DAEMON),
    "static-cycle": Limit("posts", _DAEMON),
    "round-trip-16": Limit("relay", "what pages may say in a round, 165 a second each; else as 64 agents"),
    "round-trip-64": Limit("relay", _FEW),
    "round-trip-saturated": Limit("relay", _STORED),
    "memory-per-agent": Limit("memory", "a page's socket in the router"),
    "crowdctl-runs": Limit("crowdctl", "Python with click, then some 20 modules of ours"),
}
