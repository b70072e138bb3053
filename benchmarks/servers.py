"""The processes of ours that do the work of a row."""

from tests.system.processes import Daemon


def servers_of(daemon: Daemon) -> dict[str, int]:
    """The daemon and its routers by name, with their process ids."""
    assert daemon.process is not None
    pids = daemon.router_pids()
    names = ["router"] if len(pids) == 1 else [f"router {number}" for number in range(len(pids))]
    return {"daemon": daemon.process.pid, **dict(zip(names, pids, strict=True))}
