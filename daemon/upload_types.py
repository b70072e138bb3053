"""Whether uploaded files are of types that the run takes. The router looks, too; here it counts."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import attrs

from ..files.kinds import is_one_of
from ..protocol.packets import FileNote
from ..protocol.uploads import UploadRule, is_no_file

OffLoop = Callable[[Callable[[Path, Sequence[str]], bool], Path, Sequence[str]], Awaitable[bool]]
"""Calls a function that blocks."""


@attrs.frozen
class UploadTypes:
    """Of one run. Without a rule every file is taken."""

    rule: UploadRule | None
    off_loop: OffLoop

    async def why_not(self, note: FileNote, path: Path) -> str | None:
        """None: this file is taken. Else what its worker is told."""
        if self.rule is None or is_no_file(note):
            return None
        if await self.off_loop(is_one_of, path, self.rule.types):
            return None
        return self.rule.refusal(note)
