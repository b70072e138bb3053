from crowdd import NothingReceived

async def run_unit(unit, agent):
    rng = agent.random
    await agent.send({"began": (await agent.now()).isoformat(), "thrown": rng.randint(1, 6)})
    try:
        await agent.send({"heard": await agent.receive(timeout_s=5)})
    except NothingReceived:
        await agent.send({"heard": None})
    await agent.sleep(3)
    words = await agent.run_sync(count_words, unit.data["text"])
    await agent.send({"words": words, "thrown": rng.randint(1, 6)})
    async for update in agent.updates():
        await agent.send({"echo": update["text"], "at": (await agent.now()).isoformat()})

def count_words(text):
    return len(text.split())
