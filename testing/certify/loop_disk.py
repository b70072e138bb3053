"""A disk of our own whose power can be cut: an ext4 image, mounted by root through a loop device. Linux.

Belongs into a mount namespace of its own: whatever happens to us, the kernel then takes both away.
"""

import fcntl
import os
import struct
import subprocess
from pathlib import Path

IMAGE_BYTES = 2 * 1024**3  # sparse: only what is written takes space; less than a router keeps free is full
_SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN, on other file systems XFS_IOC_GOINGDOWN
_NOTHING_FLUSHED = 2  # neither data nor journal: as if the power went this instant


class DiskRefused(Exception):
    """The disk cannot be made or mounted here; the words say why."""


class LoopDisk:
    """One image, mounted at `path` or not. All calls block, for well under a second."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "disk"
        self._image = folder / "disk.image"

    def make(self) -> None:
        """Make the image and mount it, empty. DiskRefused."""
        self.path.mkdir(parents=True)
        with self._image.open("wb") as file:
            file.truncate(IMAGE_BYTES)
        _run("mkfs.ext4", "-q", "-F", str(self._image))
        self.mount()

    def mount(self) -> None:
        """Mount it again; what the journal holds is replayed. DiskRefused."""
        _run("mount", "-o", "loop", str(self._image), str(self.path))

    def settle(self) -> None:
        """Have everything that was written until now on the disk, as after a quiet minute."""
        handle = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
            os.sync()
        finally:
            os.close(handle)

    def cut(self) -> None:
        """Cut the power: what was not synced is gone, and every call from now on fails with EIO."""
        handle = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(handle, _SHUTDOWN, struct.pack("I", _NOTHING_FLUSHED))
        finally:
            os.close(handle)

    def unmount(self) -> None:
        """Once no process has a file open. DiskRefused: one still has."""
        _run("umount", str(self.path))

    def remove(self) -> None:
        """Unmount it, and throw the image away. DiskRefused."""
        self.unmount()
        self._image.unlink()


def _run(*command: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise DiskRefused(f"{command[0]} is not installed") from None
    if done.returncode:
        raise DiskRefused(f"{' '.join(command)}: {done.stderr.strip() or done.returncode}")
