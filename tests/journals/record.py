"""Records the journals anew: `make journals`, after the form of journals has changed on purpose.

Until then what is recorded stays: a daemon of any later version must be able to go on with it.
"""

import shutil
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

import trio
from tests.daemon.virtual import open_virtual

from crowdd.testing.patient_clock import patient_clock
from crowdd.testing.simulation.stores import sqlite_store

from .scenes import SCENES, Scene
from .transcript import Transcript, rows_of, schema_of

RECORDED = Path(__file__).parent / "recorded"
SCHEMA = RECORDED / "schema.sql"
LAUNCH = "a launch"


def main() -> None:
    """Record every scene."""
    shutil.rmtree(RECORDED, ignore_errors=True)
    RECORDED.mkdir()
    for scene in SCENES:
        with tempfile.TemporaryDirectory() as folder:
            scene.make(RECORDED / scene.name)
            transcript = trio.run(_record, scene, Path(folder), clock=patient_clock())
            transcript.write(RECORDED / scene.name / "journal.sql", f"{scene.name}: {scene.title}")
            SCHEMA.write_text(schema_of(Path(folder) / "crowdd.db"))
        print(f"{scene.name}: {transcript.pieces} pieces, {transcript.killed_s:.0f} s")


async def _record(scene: Scene, folder: Path) -> Transcript:
    with trio.fail_after(3600):
        return await _recorded(scene, folder)


async def _recorded(scene: Scene, folder: Path) -> Transcript:
    async with open_virtual(folder, sqlite_store(folder)) as virtual, AsyncExitStack() as stack:
        operator = await virtual.daemon.present()
        given = {"architect.type": "mock", **scene.overrides}
        run = await operator.launch(RECORDED / scene.name, given, LAUNCH, "staff:ann")
        live = await virtual.until_live(run.id)
        await scene.play(virtual, run, stack)
        await trio.sleep(1)
        pieces, now = live.pieces, trio.current_time()
        virtual.daemon.kill(down_s=1e9)
        await trio.sleep(1)
    return Transcript(rows_of(folder / "crowdd.db"), now, pieces)


if __name__ == "__main__":
    main()
