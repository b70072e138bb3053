async def run_onboarding(agent):
    await agent.send({"question": agent.unit.data["word"]})
    first = await agent.receive()
    await agent.send({"heard": first["text"], "and": agent.random.choice(["now", "then", "again"])})
    second = await agent.receive()
    return second["text"] == "right"

async def run_unit(unit, agent):
    async for update in agent.updates():
        await agent.send({"echo": update["text"]})
