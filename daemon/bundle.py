"""What a router serves for a run: pages, the provider's script and task_config.json, as one tar.gz."""

import gzip
import hashlib
import io
import tarfile
from collections.abc import Mapping
from pathlib import PurePosixPath

from ..protocol.documents import dump_json
from ..protocol.limits import BUNDLE_BYTES_MAX, BUNDLE_FILES_MAX, BUNDLE_UNPACKED_BYTES_MAX
from ..protocol.names import MEPHISTO_TASK_VERSION
from .blueprints.contract import Blueprint, BlueprintFault
from .providers.contract import CrowdProvider
from .task_config import RunConfig

PROVIDER_SCRIPT = "wrap_crowd_source.js"
TASK_CONFIG = "task_config.json"


def page_files(config: RunConfig, blueprint: Blueprint, provider: CrowdProvider) -> dict[str, bytes]:
    """Path → contents of everything the run's pages need. The last two are always ours.

    BlueprintFault when the pages are not what they must be.
    """
    return {
        **blueprint.page_files(),
        PROVIDER_SCRIPT: provider.page_script().encode(),
        TASK_CONFIG: task_config_json(config, blueprint),
    }


def task_config_json(config: RunConfig, blueprint: Blueprint) -> bytes:
    """What pages read first: the author's settings, over them the blueprint's, then what has a fixed meaning.

    `texts` are only those that the author changed: pages have their own, and refusals bring theirs along.
    """
    settings = {**config.task_config, **blueprint.task_config()}
    texts = settings.get("texts", {})
    return dump_json(
        {
            **settings,
            "texts": {**texts, **config.texts} if isinstance(texts, dict) else texts,
            "mephisto_task_version": MEPHISTO_TASK_VERSION,
        }
    )


def make_bundle(files: Mapping[str, bytes]) -> tuple[str, bytes]:
    """The files as a tar.gz and its sha256; the same files give the same bytes. BlueprintFault: see there."""
    _check(files)
    unpacked, packed = io.BytesIO(), io.BytesIO()
    with tarfile.open(fileobj=unpacked, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name in sorted(files):
            member = tarfile.TarInfo(name)
            member.size = len(files[name])
            tar.addfile(member, io.BytesIO(files[name]))
    # No name and no time in the gzip header, or the same files would look new at every start.
    with gzip.GzipFile("", "wb", fileobj=packed, mtime=0) as file:
        file.write(unpacked.getbuffer())
    bundle = packed.getvalue()
    if len(bundle) > BUNDLE_BYTES_MAX:
        raise BlueprintFault(
            f"page: has {len(bundle)} bytes when packed; at most {BUNDLE_BYTES_MAX} are served"
        )
    return hashlib.sha256(bundle).hexdigest(), bundle


def _check(files: Mapping[str, bytes]) -> None:
    if len(files) > BUNDLE_FILES_MAX:
        raise BlueprintFault(f"page: has {len(files)} files; at most {BUNDLE_FILES_MAX} can be served")
    size = sum(map(len, files.values()))
    if size > BUNDLE_UNPACKED_BYTES_MAX:
        raise BlueprintFault(f"page: has {size} bytes; at most {BUNDLE_UNPACKED_BYTES_MAX} can be served")
    for name in files:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or str(path) != name or not name.isprintable():
            raise BlueprintFault(f"page: {name!r} is not a path that can be served")
