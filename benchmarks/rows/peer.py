"""Rows beside Mephisto: launch, registration and the static cycle.

It is measured in turn with us where MEPHISTO_PYTHON names an interpreter that has it. Else its figures are
those recorded on two cores of this kind: a launch of 5,000 units takes it 22 s, then it lets 16 workers a
second in; a cycle of registering and submitting, through its node router, 49 a second.
"""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial

import trio
from tests.system.processes import Daemon

from crowdd.client import RunDetails

from ..crowds import static_task
from ..instrument.row import Recorded, Row, Setting, Sides, at_least, at_most
from ..instrument.sample import Figure, Meter, Sample
from ..load import visits
from ..mephisto import mephisto_or, open_launches, open_visits
from .static_runs import open_daemon, open_static_run

AT_ONCE = 16
UNITS, UNITS_SMALL = 5_000, 200
VISITS, VISITS_SMALL = 800, 50  # a round; five and the warm-up fit into the run
MEPHISTO_VISITS = 100  # a round of Mephisto's, which takes longer for fewer
LOOK_S = 0.02  # each look costs the daemon an answer
IMPORTS_S = 2.0  # of a router's process, with room to spare
LAUNCH_US = 22e6
MEPHISTO_LAUNCH = Recorded({Figure.TIME_US: LAUNCH_US, Figure.PER_S: 1e6 / LAUNCH_US})
MEPHISTO_REGISTRATION = Recorded({Figure.PER_S: 16.0})
MEPHISTO_CYCLE = Recorded({Figure.PER_S: 49.0})


@asynccontextmanager
async def open_launch(setting: Setting) -> AsyncGenerator[Sides]:
    """Each time a further run of the same daemon, ended when nobody measures."""
    units = setting.size(UNITS, UNITS_SMALL)
    task = static_task(setting.folder, units)
    other = partial(open_launches, units)
    async with open_daemon(setting.folder) as daemon, mephisto_or(MEPHISTO_LAUNCH, other) as mephisto:

        async def measure() -> Sample:
            assert daemon.process is not None
            with Meter([daemon.process.pid]) as meter:
                run = await daemon.ask("launch", task)
                await _until_free(daemon, run.label, units)
            await daemon.ask("stop", run.label, True)
            await daemon.until(run.label, lambda shown: shown.ended_at)
            if setting.size(True, False):
                await _until_at_rest(daemon)
            return meter.sample(1)

        assert daemon.process is not None
        yield Sides(measure, mephisto, {"daemon": daemon.process.pid})


async def _until_free(daemon: Daemon, label: str, units: int) -> None:
    """Return when every unit could be given to a worker: it is released, and the pages are served."""
    while not _are_free(await daemon.ask("show", label), units):
        await trio.sleep(LOOK_S)


async def _until_at_rest(daemon: Daemon) -> None:
    """Return when the daemon keeps a process ready for the next router: who launches by hand finds one."""
    while not daemon.spare_pids():
        await trio.sleep(LOOK_S)
    await trio.sleep(IMPORTS_S)


def _are_free(shown: RunDetails, units: int) -> bool:
    return shown.units.get("launched") == units and all(router.up for router in shown.routers)


def open_registration(setting: Setting) -> AbstractAsyncContextManager[Sides]:
    """Workers who come, and keep their unit."""
    return _open(setting, MEPHISTO_REGISTRATION, submit=False)


def open_cycle(setting: Setting) -> AbstractAsyncContextManager[Sides]:
    """Workers who come and submit; each answer is durable when they are told so."""
    return _open(setting, MEPHISTO_CYCLE, submit=True)


@asynccontextmanager
async def _open(setting: Setting, recorded: Recorded, *, submit: bool) -> AsyncGenerator[Sides]:
    units = setting.size(UNITS, UNITS_SMALL)
    count, other_count = setting.size((VISITS, MEPHISTO_VISITS), (VISITS_SMALL, AT_ONCE))
    other = partial(open_visits, units, other_count, submit=submit)
    async with (
        open_static_run(setting.folder, units, AT_ONCE) as run,
        mephisto_or(recorded, other) as mephisto,
    ):
        ours = visits(run.load, run.servers.values(), count, submit=submit)
        yield Sides(ours, mephisto, run.servers)


LAUNCH = Row(
    "launch",
    "launch of 5,000 units, from the command until each could be given to a worker",
    "Mephisto, 22 s",
    (at_most(Figure.TIME_US, 0.01),),
    open_launch,
    turns=1,
)
REGISTRATION = Row(
    "registration",
    "registration in a run of 5,000 units, 16 at once",
    "Mephisto, 16 a second",
    (at_least(Figure.PER_S, 50),),
    open_registration,
    turns=1,
)
CYCLE = Row(
    "static-cycle",
    "static cycle (register, submit), 16 at once, through the router; ours durable",
    "Mephisto with its node router, 49 a second",
    (at_least(Figure.PER_S, 20),),
    open_cycle,
    turns=1,
)
