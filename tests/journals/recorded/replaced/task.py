async def run_assignment(assignment, group):
    await group.send({"topic": group.random.choice(["tea", "coffee"])})
    async for agent, update in group.updates():
        await group.send({"from": agent.index, "text": update["text"]}, but=agent)
