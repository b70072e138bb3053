"""Mephisto as a user would run it, for the interpreter that MEPHISTO_PYTHON names: nothing of crowdd is here.

Arguments: static or live, how many units, a folder, a port. Says in a line of JSON how long the launch took
once each unit could be given to a worker, then serves until its stdin ends. A live unit's code sends back
what its page says: at once, not with the pause of 0.3 s that its own remote procedures make.
"""

import copy
import dataclasses
import inspect
import json
import os
import re
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

LOOK_S = 0.02
UPDATE_S = 3600.0  # how long an agent's thread waits for its page
DAY_S = 24 * 3600
PACKAGE = "mephisto.abstractions"
_NO_ERROR = re.compile(r"\b(error2?) === undefined\b")


def main(kind: str, units: int, folder: Path, port: int) -> None:
    """Launch, say so, serve."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # Mephisto and its router print what they do
    _allow_defaults()
    _make_home(folder)
    operator, took_s, cpu_s = _launch(kind, units, folder, port)
    (run,) = operator.get_running_task_runs().values()
    router = run.architect.server_process
    told = {"took_s": took_s, "cpu_s": cpu_s, "pids": [os.getpid(), router.pid]}
    print(json.dumps(told), file=answers, flush=True)
    threading.Thread(target=_leave_with_stdin, args=(router,)).start()
    operator._event_loop.run_forever()


def _leave_with_stdin(router: Any) -> None:
    """Everything ends at once: what is stored is thrown away."""
    sys.stdin.read()
    router.kill()
    router.wait()
    os._exit(0)


def _allow_defaults() -> None:
    """Python 3.11 refuses defaults that can change, Mephisto's settings have some: give each its copy."""
    make = dataclasses.dataclass

    def dataclass(cls: Any = None, **how: Any) -> Any:
        if cls is None:
            return partial(dataclass, **how)
        for name in inspect.get_annotations(cls):
            default: Any = cls.__dict__.get(name)
            value: object = getattr(default, "default", default)  # a field has it inside
            if dataclasses.is_dataclass(value) and type(value).__hash__ is None:
                setattr(cls, name, dataclasses.field(default_factory=_copies_of(value)))
        return make(cls, **how)

    setattr(dataclasses, make.__name__, dataclass)  # for the imports that follow


def _copies_of(value: object) -> Callable[[], object]:
    return lambda: copy.deepcopy(value)


def _make_home(folder: Path) -> None:
    """Its configuration, without which it asks at the terminal where to keep data."""
    os.environ["HOME"] = str(folder)
    (folder / ".mephisto").mkdir()
    (folder / "data").mkdir()
    config = {"core": {"main_data_directory": str(folder / "data")}}
    (folder / ".mephisto" / "config.yml").write_text(json.dumps(config))  # JSON is YAML


def _launch(kind: str, units: int, folder: Path, port: int) -> tuple[Any, float, float]:
    """The operator; how long it took until the last unit could be given to a worker, and its CPU time."""
    operator_module = import_module("mephisto.operations.operator")
    databases = import_module(f"{PACKAGE}.databases.local_singleton_database")
    configuration, shared_state = _task(kind, units, folder, port)
    operator = operator_module.Operator(databases.MephistoSingletonDB(str(folder / "data" / "database.db")))
    began, cpu_s = time.perf_counter(), time.process_time()
    operator.launch_task_run_or_die(configuration, shared_state)
    (run,) = operator.get_running_task_runs().values()
    last = run.task_launcher.units[-1]  # they are released in this order
    while last.db_status != "launched":
        time.sleep(LOOK_S)
    return operator, time.perf_counter() - began, time.process_time() - cpu_s


def _task(kind: str, units: int, folder: Path, port: int) -> tuple[Any, Any]:
    """Settings and data of a task of one page, for its mock provider and its local router of node."""
    hydra = import_module("mephisto.operations.hydra_config")
    architect = import_module(f"{PACKAGE}.architects.local_architect")
    provider = import_module(f"{PACKAGE}.providers.mock.mock_provider")
    task_run = import_module("mephisto.data_model.task_run")
    omegaconf = import_module("omegaconf")
    vars(architect)["get_mephisto_tmp_dir"] = lambda: str(folder)  # else the next launch meets what it leaves
    vars(architect)["build_router"] = _sends_once(architect.build_router)
    page = folder / "page.js"
    page.write_text("// simulated pages need none\n")
    blueprint = _static() if kind == "static" else _live()
    settings = hydra.MephistoConfig(
        blueprint=blueprint.ArgsClass(task_source=str(page)),
        provider=provider.MockProviderArgs(requester_name="MOCK_REQUESTER"),
        architect=architect.LocalArchitectArgs(hostname="127.0.0.1", port=str(port)),
        task=task_run.TaskRunArgs(
            task_title="words",
            task_description="words",
            task_reward=0.1,
            task_tags="words",
            assignment_duration_in_seconds=DAY_S,
            submission_timeout=DAY_S,
        ),
    )
    data = [{"text": f"word {number}"} for number in range(units)]
    shared_state = blueprint.SharedStateClass(static_task_data=data)
    if kind == "live":
        shared_state.function_registry = {}  # of what pages may call: it insists on one
    configuration = omegaconf.OmegaConf.structured(settings)
    omegaconf.OmegaConf.set_struct(configuration, False)
    configuration.log_level = "error"
    _skip_install(configuration)
    return configuration, shared_state


def _sends_once(build: Callable[..., str]) -> Callable[..., str]:
    """From node 19 on its router takes what was sent for what failed, and sends it once more: mend that."""

    def built(*given: Any, **named: Any) -> str:
        made = build(*given, **named)
        server = Path(made) / "server.js"
        server.write_text(_NO_ERROR.sub(r"\1 == null", server.read_text()))
        return made

    return built


def _skip_install(configuration: Any) -> None:
    """Once npm has been here, a launch need not wait for it."""
    building = import_module(f"{PACKAGE}.architects.router.build_router")
    if (Path(building.NODE_SERVER_SOURCE_ROOT) / "node_modules").exists():
        configuration.architect.server_source_path = building.NODE_SERVER_SOURCE_ROOT


def _static() -> Any:
    return import_module(
        f"{PACKAGE}.blueprints.static_react_task.static_react_blueprint"
    ).StaticReactBlueprint


def _live() -> Any:
    """Its task type for live work, with a unit's code that only sends back."""
    of_live = f"{PACKAGE}.blueprints.remote_procedure"
    blueprint = import_module(f"{of_live}.remote_procedure_blueprint").RemoteProcedureBlueprint
    runner = import_module(f"{of_live}.remote_procedure_task_runner").RemoteProcedureTaskRunner
    state = import_module(f"{of_live}.remote_procedure_agent_state").RemoteProcedureAgentState
    register = import_module("mephisto.operations.registry").register_mephisto_abstraction()
    fields = [("_blueprint_type", str, "echo")]
    made = {
        "BLUEPRINT_TYPE": "echo",
        "ArgsClass": dataclasses.make_dataclass("EchoArguments", fields, bases=(blueprint.ArgsClass,)),
        "AgentStateClass": type("EchoState", (state,), {"update_data": _keep_nothing}),
        "TaskRunnerClass": type("EchoRunner", (runner,), {"run_unit": _echo}),
    }
    return register(type("EchoBlueprint", (blueprint,), made))


def _echo(runner: Any, unit: Any, agent: Any) -> None:
    """Not with its own wait: that ends the agent if an update was taken before it was signalled."""
    while unit.db_id in runner.running_units:
        agent.has_live_update.wait(UPDATE_S)
        agent.has_live_update.clear()
        while (update := agent.get_live_update()) is not None:
            agent.observe(update)


def _keep_nothing(state: Any, live_update: Any) -> None:
    """Its own would write all that was said so far to a file, each time."""


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))
