"""The rows of the table, a module each, with their baselines; and what is still measured by hand."""

from ..instrument.row import Row
from . import choosing, codec, commands, live_peer, peer, posts, relay, transactions

ROWS: tuple[Row, ...] = (
    relay.MEMORY_64,
    relay.MEMORY_256,
    relay.STORED_64,
    relay.STORED_256,
    codec.ROW,
    transactions.MANY,
    transactions.ALONE_ROW,
    choosing.ROW,
    posts.ROW,
    peer.LAUNCH,
    peer.REGISTRATION,
    peer.CYCLE,
    live_peer.ROUND_TRIP_16,
    live_peer.ROUND_TRIP_64,
    live_peer.SATURATED_ROW,
    live_peer.MEMORY,
    commands.ROW,
)

BY_HAND = {
    "live": "pairs of live agents that talk, and as much as goes beside a bare relay",
    "idle": "10,000 idle live agents: memory, heartbeats, stalls",
    "restart": "live agents while the daemon is restarted or killed, beside the floor of a start",
    "admission": "what letting a worker in costs, over units and known workers",
    "rush": "64 workers at the same instant, a thousand times",
    "load_check": "whether the load generator could be what limits, at 1,000 and 4,000 connections",
    "mephisto": "its side of the rows alone, where MEPHISTO_PYTHON names an interpreter that has it",
    "profile": "where the CPU of a row's servers goes, by thread and function; needs py-spy",
    "leaks": "100,000 agents that come and go: memory after the second half of them",
    "stalls": "the longest turn of the daemon's loop: 10,000 agents, their mass expiry, a shutdown",
    "growth": "what a registration costs while units, runs, agents or known workers grow",
    "hostile": "honest workers among 10,000 strangers",
    "fuzz": "bytes of strangers",
    "seeds": "simulated worlds: every violation with its seed",
}
"""Modules of this folder with a command each."""
