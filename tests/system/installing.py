"""What is on the booted machine before crowdd is installed there, and `make install-systemd` itself."""

import os
import shutil
import subprocess
import sys
import sysconfig
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from .machine import OPT, PYTHON_ELSEWHERE, SERVICES, Machine

ROOT = Path(__file__).parent.parent.parent
SOURCE = Path("/usr/src/crowdd")
SITE_PACKAGES = OPT / "lib" / f"python{sysconfig.get_python_version()}" / "site-packages"
BUILDS = ("pip", "hatchling")
OFFLINE = ("PIP_NO_INDEX=1", "PIP_NO_BUILD_ISOLATION=off", "PIP_ROOT_USER_ACTION=ignore")
"""pip finds all that it needs in the environment that it installs into."""
ROUTERS_TOML = """[crowd]
url = "http://127.0.0.1:8090"
public_url = "http://localhost:8090"
secret_file = "/run/credentials/crowdd.service/router_crowd"
"""


def lay_out(payload: Path) -> Path | None:
    """The source, and an environment that has all but crowdd itself: the machine has no network.

    Returns the interpreter's own folder if units, which see no home folders, must be shown it elsewhere.
    """
    prefix = _make_environment(payload / OPT.relative_to("/"))
    _copy_source(payload / SOURCE.relative_to("/"))
    if prefix:  # an interpreter built with a shared library looks for it at its old address
        lines = [
            "[Service]",
            *(f"Environment={name}={value}" for name, value in PYTHON_ELSEWHERE.items()),
            "",
        ]
        for unit in SERVICES:
            drop_in = payload / "etc" / "systemd" / "system" / f"{unit}.d" / "python.conf"
            drop_in.parent.mkdir(parents=True)
            drop_in.write_text("\n".join(lines))
    payload.chmod(0o755)
    return prefix


def install(machine: Machine) -> str:
    """Install crowdd; what was said. The one file that an operator has to change is changed."""
    said = machine.run("env", *OFFLINE, "make", "-C", str(SOURCE), "install-systemd")
    machine.write(Path("/etc/crowdd/routers.toml"), ROUTERS_TOML)
    return said


def _make_environment(opt: Path) -> Path | None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", opt], check=True)
    base = Path(sys.base_prefix)
    hidden = None if base == Path("/usr") else base
    home = Path("/opt/python/bin") if hidden else base / "bin"
    name = f"python{sysconfig.get_python_version()}"
    for link in (opt / "bin").glob("python*"):
        link.unlink()
    for link_name in ("python", "python3", name):
        (opt / "bin" / link_name).symlink_to(home / name)
    (opt / "pyvenv.cfg").write_text(f"home = {home}\ninclude-system-site-packages = false\n")
    _copy_packages(opt / SITE_PACKAGES.relative_to(OPT))
    return hidden


def _copy_packages(site_packages: Path) -> None:
    distributions: dict[str, metadata.Distribution] = {}
    for name in ("crowdd", *BUILDS):
        _needed(name, distributions)
    del distributions["crowdd"]
    for distribution in distributions.values():
        for file in distribution.files or []:
            source, target = Path(str(file.locate())), site_packages / file
            if ".." in file.parts or file.suffix in {".pth", ".pyc"} or not source.is_file():
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)


def _needed(name: str, seen: dict[str, metadata.Distribution]) -> None:
    """The distribution and all that it needs at run time, by name."""
    if name in seen:
        return
    seen[name] = metadata.distribution(name)
    for text in seen[name].requires or []:
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            _needed(requirement.name, seen)


def _copy_source(target: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    for name in filter(None, os.fsdecode(listed.stdout).split("\0")):
        source, copy = ROOT / name, target / name
        if source.is_symlink() or source.is_file():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, copy, follow_symlinks=False)
