def double(caller, args):
    return args * 2

async def slow(caller, args):
    import trio
    await caller.send({"wait": "a moment"})
    await trio.sleep(20)
    return "done"

functions = {"double": double, "slow": slow}
