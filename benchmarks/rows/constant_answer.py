"""The baseline of posts: Starlette under uvicorn, as our router has them, with a constant for an answer.

It reads the body and says what a registration is told, nothing else. Prints its port.
"""

import socket
import sys

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crowdd.router.limits import KEEP_ALIVE_S

ANSWER = orjson.dumps(
    {
        "packet_type": "agent_details",
        "subject_id": "a" * 32,
        "data": {"worker_id": "1", "agent_id": "w" * 43, "init_task_data": {"text": "word"}},
        "client_timestamp": None,
        "router_incoming_timestamp": 1.0,
        "router_outgoing_timestamp": 1.0,
        "server_timestamp": 1.0,
    }
)


async def say(request: Request) -> Response:
    """The same to everybody."""
    await request.body()
    return Response(ANSWER, media_type="application/json")


def main() -> None:
    """Serve until killed."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    app = Starlette(routes=[Route("/{name}", say, methods=["POST"])])
    config = uvicorn.Config(
        app,
        http="httptools",
        loop="uvloop",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_keep_alive=int(KEEP_ALIVE_S),
    )
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
