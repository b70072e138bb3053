"""SEC22: who cannot read what they are told does not start, and says what to do; nothing is let through."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest

from crowdd.daemon.secrets import make_secret

pytestmark = pytest.mark.system

ENDS_S = 30


@attrs.frozen
class Place:
    """The inputs of a daemon and of a router, all of them fit."""

    data: Path
    router: Path

    @property
    def config(self) -> Path:
        return self.data / "crowdd.toml"

    @property
    def links(self) -> Path:
        return self.data / "secrets" / "links"

    @property
    def router_config(self) -> Path:
        return self.router / "router.toml"

    @property
    def secret(self) -> Path:
        return self.router / "secret"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path / "data", tmp_path / "router")
    place.data.mkdir()
    place.router.mkdir()
    make_secret(place.links)
    make_secret(place.secret)
    place.config.write_text('[roles]\npay = ["root"]\n')
    place.router_config.write_text(f'folder = "{place.router}/kept"\nsecret_file = "{place.secret}"\n')
    return place


def ended(*words: str) -> tuple[int, str]:
    """Exit status and last words of a command that must end by itself."""
    command = [sys.executable, "-m", "crowdd.cli", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=ENDS_S, check=False)
    return done.returncode, done.stdout + done.stderr


def written(pick: Callable[[Place], Path], content: str | bytes) -> Callable[[Place], None]:
    def spoil(place: Place) -> None:
        path = pick(place)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    return spoil


def shown_to_all(pick: Callable[[Place], Path]) -> Callable[[Place], None]:
    return lambda place: pick(place).chmod(0o644)


def replaced_by_a_folder(pick: Callable[[Place], Path]) -> Callable[[Place], None]:
    def spoil(place: Place) -> None:
        pick(place).unlink()
        pick(place).mkdir()

    return spoil


def replaced_by_a_link_to_nowhere(pick: Callable[[Place], Path]) -> Callable[[Place], None]:
    def spoil(place: Place) -> None:
        pick(place).unlink()
        pick(place).symlink_to("nowhere")

    return spoil


def removed(pick: Callable[[Place], Path]) -> Callable[[Place], None]:
    return lambda place: pick(place).unlink()


def config(place: Place) -> Path:
    return place.config


def links(place: Place) -> Path:
    return place.links


def router_config(place: Place) -> Path:
    return place.router_config


def secret(place: Place) -> Path:
    return place.secret


DAEMON = {
    "config: noise": (written(config, b"\xff\x00\xfe"), "crowdd.toml"),
    "config: no TOML": (written(config, "[roles\n"), "is not TOML"),
    "config: unknown option": (written(config, 'roels = "x"\n'), "did you mean"),
    "config: unknown role": (written(config, '[roles]\nothers = "all"\n'), "roles.others"),
    "config: a role for a number": (written(config, "[roles]\npay = [0]\n"), "roles.pay"),
    "config: a role for nobody": (written(config, '[roles]\npay = [""]\n'), "names nobody"),
    "config: a role for a group without a name": (written(config, '[roles]\npay = ["@"]\n'), "names nobody"),
    "config: misspelt role": (written(config, '[roles]\npays = ["ann"]\n'), "roles.pays"),
    "config: a folder": (replaced_by_a_folder(config), "is not a file"),
    "config: a link to nowhere": (replaced_by_a_link_to_nowhere(config), "is not a file"),
    "links: empty": (written(links, ""), "holds no secret"),
    "links: short": (written(links, "short"), "shorter than 16 bytes"),
    "links: one line short": (written(links, "sixteen-bytes-at-least\nshort\n"), "shorter than 16 bytes"),
    "links: for all to see": (shown_to_all(links), "chmod 600"),
    "links: a folder": (replaced_by_a_folder(links), "not a regular file"),
}
ROUTER = {
    "config: removed": (removed(router_config), "router.toml"),
    "config: noise": (written(router_config, b"\xff\x00\xfe"), "cannot read"),
    "config: unknown option": (written(router_config, 'sercet_file = "x"\n'), "sercet_file is unknown"),
    "secret: removed": (removed(secret), "cannot be read"),
    "secret: empty": (written(secret, ""), "holds no secret"),
    "secret: short": (written(secret, "short"), "shorter than 16 bytes"),
    "secret: for all to see": (shown_to_all(secret), "chmod 600"),
    "secret: a folder": (replaced_by_a_folder(secret), "not a regular file"),
}


@pytest.mark.parametrize(("spoil", "words"), DAEMON.values(), ids=DAEMON.keys())
def test_sec22_a_daemon_does_not_start(place: Place, spoil: Callable[[Place], None], words: str) -> None:
    spoil(place)
    status, said = ended("serve", "--data", str(place.data))
    assert status != 0
    assert words in said
    assert "Traceback" not in said
    assert not (place.data / "control").exists()


@pytest.mark.parametrize(("spoil", "words"), ROUTER.values(), ids=ROUTER.keys())
def test_sec22_a_router_does_not_start(place: Place, spoil: Callable[[Place], None], words: str) -> None:
    spoil(place)
    status, said = ended("router", "--config", str(place.router_config))
    assert status != 0
    assert words in said
    assert "Traceback" not in said
