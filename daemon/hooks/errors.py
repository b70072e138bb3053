"""What a hook's failure is to its caller. Was noted for the author already."""

from .names import HookName


class HookFailed(Exception):
    """A hook raised, took too long, or answered what it must not; the cause says which."""

    def __init__(self, hook: HookName, why: str) -> None:
        super().__init__(f"{hook.value}: {why}")
        self.hook = hook
