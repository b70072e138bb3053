"""What a task run is told by its author, as frozen classes; `task_structuring` makes them of a document."""

from decimal import Decimal
from typing import Annotated, Any

import attrs

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
)
from .registry import Kind
from .structuring import Count, Faults, FreeForm, Seconds, Words
from .task_fields import Label, Reward, Texts
from .upload_config import Uploads

DEFAULT_TYPES = {Kind.BLUEPRINT: "static", Kind.PROVIDER: "inhouse", Kind.ARCHITECT: "local"}


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
CHOSEN = {
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
