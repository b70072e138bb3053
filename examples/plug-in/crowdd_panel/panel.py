"""The crowd provider `panel`: people on a list, each with a code that fits on a postcard."""

import csv
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import attrs

from crowdd.daemon.providers import (
    BookkeepingProvider,
    Identity,
    IdentityUnverified,
    ProviderFailed,
    claimed_after,
    claimed_text,
    wrapped_script,
)

CODE_CHARACTERS_MIN = 8  # shorter codes can be guessed
_OWN_COLUMNS = {"name", "code"}


@attrs.frozen
class PanelOptions:
    """`[provider]` of task.toml."""

    members: Path = Path("panel.csv")
    """A CSV file in the task's folder: `name`, `code`, and what else is known of a member."""


class PanelProvider(BookkeepingProvider):
    """Knows a worker by the code in their link. Blocks and payments are kept as `inhouse` keeps them."""

    name = "panel"
    Options = PanelOptions

    @classmethod
    def check(cls, options: PanelOptions, folder: Path) -> list[str]:
        try:
            members = _read(folder / options.members)
        except (OSError, UnicodeDecodeError, csv.Error) as exc:
            return [f"{options.members}: cannot be read ({exc}); its columns are name, code, ..."]
        return [f"{options.members}: {fault}" for fault in _faults(members)]

    async def set_up(self) -> None:
        if faults := self.check(self.options, self.place.folder):
            raise ProviderFailed("; ".join(faults))

    async def verify(self, provider_data: Mapping[str, Any]) -> Identity:
        code = claimed_text(provider_data, "code")
        for member in self._members():
            if member["code"] == code:
                known = {key: value for key, value in member.items() if key not in _OWN_COLUMNS}
                return Identity(member["name"], _fingerprint(code), claimed_after(provider_data), known)
        raise IdentityUnverified(f"no member of {self.options.members} has this code")

    async def links(self, workers: Sequence[str], url: str) -> list[tuple[str, str]]:
        codes = {member["name"]: member["code"] for member in self._members()}
        for worker in workers:
            if worker not in codes:
                raise ValueError(f"{worker!r:.60} is not in {self.options.members}")
        return [(worker, f"{url}?{urlencode({'code': codes[worker]})}") for worker in workers]

    def page_script(self) -> str:
        return wrapped_script(Path(__file__).with_name("panel.js").read_text("utf-8"))

    def _members(self) -> list[dict[str, str]]:
        return _read(self.place.folder / self.options.members)


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [{key: value or "" for key, value in row.items() if key} for row in csv.DictReader(file)]


def _faults(members: Sequence[Mapping[str, str]]) -> list[str]:
    faults = [] if members else ["nobody is on the panel"]
    for column in ("name", "code"):
        values = [member.get(column, "") for member in members]
        faults += [f"line {n}: has no {column}" for n, value in enumerate(values, 2) if not value]
        twice = {value for value in values if value and values.count(value) > 1}
        faults += [f"{column} {value!r} is there twice" for value in sorted(twice)]
    for number, member in enumerate(members, 2):
        if 0 < len(member.get("code", "")) < CODE_CHARACTERS_MIN:
            faults.append(f"line {number}: the code must have at least {CODE_CHARACTERS_MIN} characters")
    return faults


def _fingerprint(code: str) -> str:
    """Names the link without giving the code away: it is kept, logged and exported."""
    return hashlib.sha256(code.encode()).hexdigest()[:12]
