"""A task with all that decides who may work: onboarding, gold or screening, hooks that dawdle and fail."""

import random
from typing import Any

from ..players import TaskPlayer

ONBOARDING, BANNED = "introduced", "banned"
MAY_GRANT = (ONBOARDING, BANNED)
"""What staff of the simulated world give and take."""

SECTIONS = {
    "gold": f"""
block_qualification = "{BANNED}"
[onboarding]
qualification = "{ONBOARDING}"
time_s = 200
[gold]
qualification_base = "known"
max_units = 40
min_golds = 1
max_incorrect_golds = 1
""",
    "screening": f"""
block_qualification = "{BANNED}"
[onboarding]
qualification = "{ONBOARDING}"
[screening]
qualification = "screened"
max_units = 24
""",
}

CODE = """
import itertools, random, trio
chance, number = random.Random(7), itertools.count()

async def dawdle():
    await trio.sleep(chance.choice([0, 0, 0, 0.1, 0.5, 3, 9, 40]))
    if chance.random() < 0.05:
        raise chance.choice([ValueError, KeyboardInterrupt])("planted")

async def onboarding_data(worker):
    await dawdle()
    return {"row": -1}

async def validate_onboarding(worker, data):
    await dawdle()
    return data["passes"]

async def worker_can_do_unit(worker, unit):
    if chance.random() < 0.003:
        raise LookupError("planted")
    return (worker.id + unit.id) % 5 > 0

async def on_unit_submitted(agent):
    worker = agent.worker
    had = worker.value("seen") or 0
    await dawdle()
    worker.grant("seen", had + 1)
    return agent.data["answer"] > 1 if agent.unit.index < 0 else None
"""
SPECIAL = {
    "gold": """
def gold_for_worker(worker):
    return {"row": -2, "n": next(number)}
""",
    "screening": """
def screening_units():
    return ({"row": -2, "n": n} for n in range(1000))
""",
}


def suits(worker_id: int, unit_id: int) -> bool:
    """What `worker_can_do_unit` of CODE says when it does not fail."""
    return (worker_id + unit_id) % 5 > 0


def player() -> TaskPlayer:
    """Answers units and onboardings at random; most pass."""
    return TaskPlayer(answer, lambda data, rng: {"passes": rng.random() < 0.7})


def answer(data: Any, rng: random.Random) -> dict[str, Any]:
    """An answer as good as any."""
    return {"row": data["row"], "answer": rng.randrange(10), "why": "x" * rng.randrange(200)}
