"""What the daemon stores of the talk with one agent, for the scripted router."""

from typing import Any

import attrs


@attrs.define(eq=False)
class Talk:
    """The live updates of one agent as the daemon stores them, both ways."""

    heard: list[dict[str, Any]] = attrs.Factory(list[dict[str, Any]])
    said: list[dict[str, Any]] = attrs.Factory(list[dict[str, Any]])
    past: list[dict[str, Any]] = attrs.Factory(list[dict[str, Any]])
    calls: list[dict[str, Any]] = attrs.Factory(list[dict[str, Any]])
    last: dict[str, int] = attrs.Factory(dict[str, int])
    """The highest number stored, by page stream."""

    def take(self, page: str, number: int, update: dict[str, Any]) -> None:
        """Only the next of its stream is stored; what is known is not stored again."""
        if number == self.last.get(page, 0) + 1:
            self.last[page] = number
            self.heard.append(update)
            self.past.append(update)

    def say(self, update: dict[str, Any]) -> int:
        """Store an update for the page; its number."""
        self.said.append({"update_id": f"1.{len(self.said) + 1}", **update})
        self.past.append(self.said[-1])
        return len(self.said)

    @property
    def words(self) -> list[Any]:
        """The `text` of everything heard."""
        return [update.get("text") for update in self.heard]
