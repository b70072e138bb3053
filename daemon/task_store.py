"""Keeps the folders of launched tasks. Blocks; called in a thread."""

from pathlib import Path

from .task_folder import copy_task


def keep_task(folder: Path, kept: Path) -> None:
    """Copy a task's folder to `kept`, complete and fsynced, unless it is there already.

    TaskRefused, OSError: nothing is left behind but, after a crash, a folder ending in `.part`.
    """
    if not kept.exists():
        copy_task(folder, kept)
