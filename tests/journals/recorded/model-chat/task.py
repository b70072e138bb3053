"""The daemon's part of the chat: the function that the page calls for each reply.

It keeps nothing between two calls: all that it needs comes with the call and from the unit. So it does not
matter that a call may be made again after an error, and that after a restart of the daemon replies which were
given are not computed once more.
"""

from typing import Any

from crowdd import Caller, CallRefused

from .model import MODELS, words_of

TEXT_MAX = 300  # characters of one line; the page lets nobody write more


def reply(caller: Caller, args: dict[str, Any]) -> dict[str, str]:
    """What the unit's model says to `text`, when it has said `before`."""
    text, before = str(args["text"]), [str(line) for line in args["before"]]
    if not words_of(text):
        raise CallRefused("The model reads letters from a to z only. Please write a few words.")
    if len(text) > TEXT_MAX:
        raise CallRefused(f"The model reads at most {TEXT_MAX} characters at once.")
    model = MODELS[caller.unit.data["_model"]]  # the page does not know which
    return {"text": model(text, before)}


functions = {"reply": reply}
