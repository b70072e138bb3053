"""Keeps the folders of launched tasks. Blocks; called in a thread."""

from pathlib import Path

from .task_folder import pack_task, unpack_task


def keep_task(folder: Path, kept: Path) -> None:
    """Copy a task's folder to `kept`, complete and fsynced, unless it is there already.

    TaskRefused, OSError: nothing is left behind but, after a crash, a file ending in `.tar`.
    """
    if kept.exists():
        return
    archive = kept.with_name(f"{kept.name}.tar")
    try:
        pack_task(folder, archive)
        unpack_task(archive, kept)
    finally:
        archive.unlink(missing_ok=True)
