"""Run named steps one after another, each within its limit, and say at the end how long each took.

Usage: steps.py [--keep-going] 'NAME [MINUTES]: COMMAND' ...

Standard library only, so that it runs before anything is installed. Exits with 0 only if every step did.
"""

import os
import re
import signal
import subprocess
import sys
import time
from types import FrameType
from typing import NamedTuple

STEP = re.compile(r"(?P<name>[^:\[]+?) *(\[(?P<minutes>[0-9.]+)\])?: *(?P<command>.+)", re.DOTALL)
POLITE_S = 15.0  # between asking a step that is out of time to end and ending it


class Step(NamedTuple):
    name: str
    limit_s: float | None
    command: str


class Outcome(NamedTuple):
    name: str
    verdict: str
    took_s: float


def main(arguments: list[str]) -> int:
    signal.signal(signal.SIGTERM, _leave)
    keep_going = "--keep-going" in arguments
    steps = [parse(text) for text in arguments if text != "--keep-going"]
    outcomes: list[Outcome] = []
    for step in steps:
        outcomes.append(run(step))
        if outcomes[-1].verdict != "ok" and not keep_going:
            break
    not_run = [Outcome(step.name, "not run", 0.0) for step in steps[len(outcomes) :]]
    print_table(outcomes + not_run)
    return 0 if all(outcome.verdict == "ok" for outcome in outcomes + not_run) else 1


def parse(text: str) -> Step:
    match = STEP.fullmatch(text.strip())
    if match is None:
        sys.exit(f"not a step: {text!r}; expected 'NAME [MINUTES]: COMMAND'")
    minutes = match["minutes"]
    return Step(match["name"].strip(), float(minutes) * 60 if minutes else None, match["command"])


def run(step: Step) -> Outcome:
    """Run one step in a process group of its own; nothing of it is left when this returns or raises."""
    print(f"\n== {step.name}: {step.command}", flush=True)
    started = time.monotonic()
    process = subprocess.Popen(["/bin/sh", "-eu", "-c", step.command], start_new_session=True)
    try:
        code = process.wait(step.limit_s)
        verdict = "ok" if code == 0 else f"FAILED ({code})"
    except subprocess.TimeoutExpired:
        verdict = f"FAILED (over {step.limit_s:.0f} s)"
    finally:
        end_group(process)
    return Outcome(step.name, verdict, time.monotonic() - started)


def end_group(process: subprocess.Popen[bytes]) -> None:
    """Ask, wait a little, then end what is left of the step's process group."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(POLITE_S)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def print_table(outcomes: list[Outcome]) -> None:
    width = max(len(outcome.name) for outcome in outcomes)
    print()
    for name, verdict, took_s in outcomes:
        print(f"{name:<{width}}  {took_s:7.1f} s  {verdict}")
    print(f"{'together':<{width}}  {sum(outcome.took_s for outcome in outcomes):7.1f} s", flush=True)


def _leave(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
