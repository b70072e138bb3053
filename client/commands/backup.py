"""crowdctl backup: everything the daemon has, in one file."""

from pathlib import Path

import click

from ..client import Client
from ..errors import FileNotWritten
from ..terminal import safe, say
from .disk import size
from .options import pass_client


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@pass_client
def backup(client: Client, file: Path) -> None:
    """Write everything the daemon has to FILE, checked, while work goes on.

    It is a tar file with the store, the tasks, the files that workers uploaded, and all secrets: whoever has
    it can do what the daemon can.
    """
    try:
        count = client.save_backup(file)
    except OSError as exc:
        raise FileNotWritten(file, exc) from exc
    say(f"{safe(file)}: {size(count)}. To put it in place: crowdd storage restore {safe(file)} --data FOLDER")
