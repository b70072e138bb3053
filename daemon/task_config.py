"""What a task run is told by its author: `task.toml` as frozen classes. Refuses all faults at once."""

import functools
import operator
import re
import threading
import tomllib
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import attrs
from cattrs import Converter

from ..protocol.names import SENTENCES, Reason
from ..protocol.uploads import UploadRule
from .admission_config import (
    Admission,
    Choice,
    Gold,
    Onboarding,
    QualificationName,
    Requirement,
    ReviewRule,
    Screening,
    Values,
    qualification_name,
    values,
)
from .overrides import override
from .registry import BrokenPlugIn, Kind, Registry, UnknownPlugIn, installed_plug_ins
from .structuring import (
    Count,
    Fault,
    Faults,
    FreeForm,
    LooseFloat,
    LooseInt,
    Seconds,
    Words,
    free_table,
    make_converter,
    nearest,
    shown,
    structure,
    table,
    text,
    words,
)
from .task_folder import TaskCodeFailed, load_task_code, unload_task_code
from .upload_config import FileTypes, Uploads, file_types

CONFIG_NAME = "task.toml"
CONFIG_BYTES_MAX = 1024 * 1024  # a task.toml beyond this has its data in the wrong file
REWARD_CENTS_MAX = 1_000_000  # a unit for more than this is a slip of the decimal point
LABEL_CHARACTERS_MAX = 40  # one part of a host name, with room
DEFAULT_TYPES = {Kind.BLUEPRINT: "static", Kind.PROVIDER: "inhouse", Kind.ARCHITECT: "local"}

Label = Annotated[str, "label", "lower-case letters, digits and inner hyphens"]
"""A run's name in addresses: lower-case letters, digits and inner hyphens, or empty."""
Reward = Annotated[str, "reward", 'amount like "0.30"']
"""Money as decimal text with exactly two decimals; never a float."""
Texts = Annotated[dict[str, str], "texts", "table of sentences, by reason"]
"""Reason value → sentence."""


class ConfigRefused(Exception):
    """The task cannot be launched as it is configured; `problems` holds one "path: reason" each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@attrs.frozen
class PlugIn:
    """Which blueprint, provider or architect, and its options: an instance of the class's own `Options`."""

    type: str
    options: Any
    sandbox: bool = False
    """A crowd provider whose workers are not real: nobody is paid."""


ChosenBlueprint = Annotated[PlugIn, "chosenblueprint"]
ChosenProvider = Annotated[PlugIn, "chosenprovider"]
ChosenArchitect = Annotated[PlugIn, "chosenarchitect"]
_CHOSEN = {
    Kind.BLUEPRINT: ChosenBlueprint,
    Kind.PROVIDER: ChosenProvider,
    Kind.ARCHITECT: ChosenArchitect,
}


@attrs.frozen
class Pay:
    """What a unit is worth."""

    reward: Reward = "0.00"
    """What a worker is owed for a unit, as text."""

    @property
    def cents(self) -> int:
        """The reward in the smallest unit of its currency."""
        return int(Decimal(self.reward) * 100)


@attrs.frozen
class Limits:
    """How much, how long. 0 means no limit, except where it says otherwise."""

    assignment_duration_s: Seconds = 1800
    """How long a worker has for a unit; 0: for ever."""
    allowed_concurrent: Count = 0
    """How many units of this run a worker may hold at once; 0: any number."""
    maximum_units_per_worker: Count = 0
    """How many units of this task, in all its runs, a worker may hold or have done; 0: any number."""
    max_num_concurrent_units: Count = 0
    """How many units are released at once; 0: all."""
    submission_timeout_s: Seconds = 600
    """How long a live task waits for the final answer once its code has ended."""
    no_submission_patience_s: Seconds = 43_200
    """How long a run goes on without any submission before it ends itself; 0: for ever."""
    grace_s: Seconds = 20
    """How long work in progress goes on once the daemon was told to stop; 0 is not at all."""
    rejoin_s: Seconds = 120
    """How long a live unit stays reserved after a shutdown; 0 is not at all."""

    def __attrs_post_init__(self) -> None:
        problems: list[str] = []
        most, at_once = self.maximum_units_per_worker, self.allowed_concurrent
        if most and at_once > most:
            problems.append(f"allowed_concurrent: {at_once} at once is more than {most} in all "
                            "(maximum_units_per_worker)")  # fmt: skip
        patience, duration = self.no_submission_patience_s, self.assignment_duration_s
        if patience and duration and patience < duration:
            problems.append(f"no_submission_patience_s: {patience:g} would end the run before a worker's "
                            f"{duration:g} s (assignment_duration_s) are over")  # fmt: skip
        if problems:
            raise Faults(problems)


@attrs.frozen
class RunConfig:
    """Everything a run was told. The same as a JSON document is kept with the run (`TaskRun.config`)."""

    name: Words
    """What the task is called, by those who run it."""
    blueprint: ChosenBlueprint
    """What the task is."""
    provider: ChosenProvider
    """Where workers come from."""
    architect: ChosenArchitect
    """How its routers come to be."""
    title: Words = attrs.field(default=attrs.Factory(lambda self: self.name, takes_self=True))
    """What workers see it called; by default the name."""
    description: str = ""
    """What workers are told that it is."""
    tags: tuple[Words, ...] = ()
    """Words under which a crowd provider lists it."""
    label: Label = ""
    """Where pages are found, and the run's short name; by default made from the name at the launch."""
    task: Words = attrs.field(default=attrs.Factory(lambda self: self.name, takes_self=True))
    """Which task this is a run of: maximum_units_per_worker counts over all its runs; by default the name."""
    project: Words | None = None
    """What the run is kept under, together with runs of other tasks."""
    requester: Words = attrs.field(default=attrs.Factory(lambda self: self.provider.type, takes_self=True))
    """The account that pays at the provider; by default called like the provider."""
    release_on_close: bool = False
    """True: a unit is given back when its page is closed."""
    shared_origin: bool = False
    """True: pages are served under /run/<label>/ of an origin that runs share."""
    pay: Pay = attrs.Factory(Pay)
    limits: Limits = attrs.Factory(Limits)
    texts: Texts = attrs.Factory(dict[str, str])
    """The author's words for refusals, by reason."""
    task_config: FreeForm = attrs.Factory(dict[str, Any])
    """Goes to the page as it is."""
    block_qualification: QualificationName | None = None
    """Whoever has it is refused, whatever its value."""
    qualifications: tuple[Requirement, ...] = ()
    onboarding: Onboarding | None = None
    screening: Screening | None = None
    gold: Gold | None = None
    choice: Choice = attrs.Factory(Choice)
    review: ReviewRule | None = None
    uploads: Uploads | None = None

    def __attrs_post_init__(self) -> None:
        problems = self.admission.impossible()
        if problems:
            raise Faults(problems)

    @property
    def admission(self) -> Admission:
        """What is said about who may work on what."""
        return Admission(
            self.block_qualification,
            self.qualifications,
            self.onboarding,
            self.screening,
            self.gold,
            self.review,
            self.limits.allowed_concurrent,
        )

    @property
    def upload_rule(self) -> UploadRule | None:
        """Which files are taken, with the words for who sends another; None: any."""
        words = self.texts.get(Reason.FILE_TYPE.value, SENTENCES[Reason.FILE_TYPE])
        return None if self.uploads is None else UploadRule(self.uploads.types, words)

    @property
    def pay_cents(self) -> int:
        """What a unit is worth, in the smallest unit of its currency."""
        return self.pay.cents


def load_config(
    folder: Path, overrides: Mapping[str, str] | None = None, registry: Registry | None = None
) -> RunConfig:
    """The config of the task in `folder`, with `limits.grace_s`-like keys replaced by `overrides`.

    Without a registry, plug-ins are the installed ones and those of the folder's task.py, whose code is run.
    ConfigRefused: everything that is wrong, at once.
    """
    document, problems = read_document(folder, overrides or {})
    if registry is not None:
        return structure_config(document, registry, problems)
    try:
        code = load_task_code(folder)
    except TaskCodeFailed as exc:
        raise ConfigRefused([f"task.py: {exc}"]) from exc
    try:
        return structure_config(document, installed_plug_ins().with_task_code(code), problems)
    except BrokenPlugIn as exc:
        raise ConfigRefused([f"task.py: {exc}"]) from exc
    finally:
        if code is not None:
            unload_task_code(code)


def config_to_json(config: RunConfig, registry: Registry | None = None) -> dict[str, Any]:
    """The config as a JSON document, of the same form as task.toml, with every default written out.

    With the registry that it was read with it is sooner written.
    """
    with nullcontext(make_converter()) if registry is None else open_converter(registry) as converter:
        document: dict[str, Any] = converter.unstructure(config)
    for kind in Kind:
        plug_in = getattr(config, kind.value)
        document[kind.value] = {"type": plug_in.type, **document[kind.value]["options"]}
    return document


def config_from_json(document: Mapping[str, Any], registry: Registry | None = None) -> RunConfig:
    """The config that `config_to_json` wrote. ConfigRefused, e.g. when a plug-in is not there any more."""
    return structure_config(dict(document), registry or installed_plug_ins())


def read_document(folder: Path, overrides: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """The folder's task.toml with its overrides, and what is wrong with these. ConfigRefused: no TOML."""
    document = _read(folder / CONFIG_NAME)
    problems = [override(document, key, letters) for key, letters in overrides.items()]
    return document, [problem for problem in problems if problem is not None]


def structure_config(document: dict[str, Any], registry: Registry, problems: Sequence[str] = ()) -> RunConfig:
    """The document as a config. ConfigRefused: everything that is wrong, after `problems` found before."""
    for kind in Kind:
        document.setdefault(kind.value, {})
    try:
        with open_converter(registry) as converter:
            config = structure(converter, document, RunConfig)
    except Faults as exc:
        raise ConfigRefused([*problems, *exc.problems]) from exc
    problems = [*problems, *_unknown_providers(config, registry)]
    if problems:
        raise ConfigRefused(problems)
    return config


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            content = file.read(CONFIG_BYTES_MAX + 1)
    except OSError as exc:
        raise ConfigRefused([f"{path.name}: cannot be read: {exc.strerror}"]) from exc
    if len(content) > CONFIG_BYTES_MAX:
        raise ConfigRefused(
            [f"{path.name}: is larger than {CONFIG_BYTES_MAX} bytes; put data into data.jsonl"]
        )
    try:
        return tomllib.loads(content.decode())
    except (ValueError, RecursionError) as exc:
        raise ConfigRefused([f"{path.name}: is not TOML: {exc}"]) from exc


def _unknown_providers(config: RunConfig, registry: Registry) -> Iterator[str]:
    known = registry.names(Kind.PROVIDER)
    for index, requirement in enumerate(config.qualifications):
        for name in requirement.applicable_providers or ():
            if name not in known:
                path = f"qualifications[{index}].applicable_providers"
                yield f"{path}: there is no provider {name!r}; {nearest(name, known)}"


_kept_in_use = threading.Lock()


@contextmanager
def open_converter(registry: Registry) -> Generator[Converter]:
    """A converter that nobody else uses meanwhile: it writes code when it first meets a class.

    That takes 15 ms for all of a config. The last one is therefore kept, but none that knows classes of a
    task.py; who finds it taken has one of their own, for an author's value may keep it for long.
    """
    if registry.of_task or not _kept_in_use.acquire(blocking=False):
        yield _converter(registry)
        return
    try:
        yield _kept_converter(registry)
    finally:
        _kept_in_use.release()


@functools.lru_cache(maxsize=1)
def _kept_converter(registry: Registry) -> Converter:
    return _converter(registry)


def _converter(registry: Registry) -> Converter:
    """Knows the plug-ins of `registry`: the table of each is structured into its own Options."""
    converter = make_converter(
        {
            Reward: reward,
            Label: _label,
            Texts: _texts,
            Values: values,
            QualificationName: qualification_name,
            FileTypes: file_types,
        }
    )
    for kind, chosen in _CHOSEN.items():
        hook = functools.partial(_plug_in, registry, converter, kind)
        converter.register_structure_hook_func(functools.partial(operator.eq, chosen), hook)
    return converter


def _plug_in(registry: Registry, converter: Converter, kind: Kind, value: Any, _: Any) -> PlugIn:
    options = {**table(value)}
    try:
        name = words(options.pop("type", DEFAULT_TYPES[kind]))
        plug_in = registry.find(kind, name)
    except (Fault, UnknownPlugIn, BrokenPlugIn) as exc:
        raise Faults([f"type: {exc}"]) from exc
    options = _options(converter, options, plug_in.Options)
    return PlugIn(name, options, sandbox=getattr(plug_in, "sandbox", False))


def _options(converter: Converter, table: dict[str, Any], wanted: type[Any]) -> Any:
    """As any table, but that `type` is a name one may have meant, too."""
    known = [field.name for field in attrs.fields(wanted)]
    problems = [f"{key}: unknown; {nearest(key, ['type', *known])}" for key in table if key not in known]
    try:
        options = structure(converter, {key: table[key] for key in table if key in known}, wanted)
    except Faults as exc:
        raise Faults([*problems, *exc.problems]) from exc
    if problems:
        raise Faults(problems)
    return options


def reward(value: Any, _: Any) -> str:
    """Exactly an amount of money, as text with two decimals."""
    if isinstance(value, int | float) and not isinstance(value, LooseInt | LooseFloat):
        raise Fault(f'money is text, never a number: write "{value}"')
    letters = text(value)
    if not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,2})?", letters):
        raise Fault(f'must be an amount like "0.30", not {shown(letters)}')
    amount = Decimal(letters)
    if amount * 100 > REWARD_CENTS_MAX:
        raise Fault(f"must be at most {Decimal(REWARD_CENTS_MAX) / 100:.2f}, not {letters}")
    return f"{amount:.2f}"


def _label(value: Any, _: Any) -> str:
    label = text(value)
    if label and not re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", label):
        raise Fault(f"must have lower-case letters, digits and inner hyphens only, not {shown(label)}")
    if len(label) > LABEL_CHARACTERS_MAX:
        raise Fault(f"must have at most {LABEL_CHARACTERS_MAX} characters")
    return label


def _texts(value: Any, _: Any) -> dict[str, str]:
    texts, problems = free_table(value, _), list[str]()
    known = [reason.value for reason in Reason]
    for reason, sentence in texts.items():
        if reason not in known:
            problems.append(f"{reason}: unknown reason; {nearest(reason, known)}")
        elif not isinstance(sentence, str) or not sentence.strip():
            problems.append(f"{reason}: must be a sentence, not {shown(sentence)}")
    if problems:
        raise Faults(problems)
    return texts
