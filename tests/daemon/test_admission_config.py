"""What task.toml may say about who works on what, and in which words the impossible is refused."""

from pathlib import Path

import pytest

from crowdd.daemon.admission import Comparator, Order
from crowdd.daemon.task_config import ConfigRefused, RunConfig
from crowdd.daemon.task_structuring import config_from_json, config_to_json
from crowdd.daemon.task_toml import load_config

ONE_AT_ONCE = "[limits]\nallowed_concurrent = 1\n"
GOLD = '[gold]\nqualification_base = "digits"\nmax_units = 9\n'
SCREENING = '[screening]\nqualification = "screened"\nmax_units = 2\n'


def config(folder: Path, toml: str) -> RunConfig:
    (folder / "task.toml").write_text(f'name = "digits"\n{toml}', "utf-8")
    return load_config(folder)


def problems(folder: Path, toml: str) -> list[str]:
    with pytest.raises(ConfigRefused) as refused:
        config(folder, toml)
    return refused.value.problems


def requirement(comparator: str, value: str = "") -> str:
    said = f"value = {value}\n" if value else ""
    return f'[[qualifications]]\nname = "english"\ncomparator = "{comparator}"\n{said}'


def test_without_a_section_nobody_is_onboarded_screened_or_tested(tmp_path: Path) -> None:
    plain = config(tmp_path, "")
    assert (plain.onboarding, plain.screening, plain.gold, plain.review) == (None, None, None, None)
    assert (plain.qualifications, plain.choice.order) == ((), Order.FIFO)
    assert not plain.admission.made_qualifications()


@pytest.mark.parametrize("comparator", list(Comparator))
def test_every_comparator_can_be_asked_for(tmp_path: Path, comparator: Comparator) -> None:
    values = {"Exists": "", "DoesNotExist": "", "In": "[1, 2]", "NotIn": "[1, 2]"}
    said = values.get(comparator.value, "1")
    (asked,) = config(tmp_path, requirement(comparator.value, said)).qualifications
    assert asked.comparator is comparator


@pytest.mark.parametrize(
    ("comparator", "value", "told"),
    [
        ("Exists", "1", "compares with nothing"),
        ("In", "1", "needs a list of whole numbers, not 1"),
        ("GreaterThan", "[1]", "needs a whole number, not"),
        ("EqualTo", "", "needs a whole number, not nothing"),
        ("EqualTo", '"yes"', "grants are whole numbers"),
        ("NotIn", "[]", "list of 1 to"),
    ],
)
def test_a_comparator_with_the_wrong_value_is_refused_with_its_path(
    tmp_path: Path, comparator: str, value: str, told: str
) -> None:
    (problem,) = problems(tmp_path, requirement(comparator, value))
    assert problem.startswith("qualifications[0].value: ")
    assert told in problem


def test_a_provider_that_is_not_there_is_told_with_the_nearest(tmp_path: Path) -> None:
    asked = requirement("Exists") + 'applicable_providers = ["inhous"]\n'
    assert problems(tmp_path, asked) == [
        "qualifications[0].applicable_providers: there is no provider 'inhous'; did you mean 'inhouse'?"
    ]


def test_all_sections_survive_the_way_to_json_and_back(tmp_path: Path) -> None:
    whole = config(
        tmp_path,
        'block_qualification = "banned"\n'
        + requirement("In", "[1, 2]")
        + '[onboarding]\nqualification = "onboarded"\ntime_s = 60\ndata = {rules = ["a"]}\n'
        + SCREENING
        + ONE_AT_ONCE
        + '[choice]\norder = "random"\nseed = 7\n[review]\nsoft_reject_share = 0.3\n',
    )
    assert config_from_json(config_to_json(whole)) == whole
    assert list(whole.admission.made_qualifications()) == [
        "banned",
        "onboarded",
        "onboarded-failed",
        "screened",
    ]


def test_gold_and_screening_exclude_each_other(tmp_path: Path) -> None:
    said = problems(tmp_path, 'block_qualification = "banned"\n' + GOLD + SCREENING + ONE_AT_ONCE)
    assert said == ["gold: cannot go with [screening]; a worker's first gold units are a screening already"]


@pytest.mark.parametrize("section", [GOLD, SCREENING])
def test_gold_and_screening_need_one_unit_at_a_time(tmp_path: Path, section: str) -> None:
    (problem,) = problems(tmp_path, 'block_qualification = "banned"\n' + section)
    assert problem.startswith("limits.allowed_concurrent: must be 1 with [")


@pytest.mark.parametrize("section", [SCREENING + ONE_AT_ONCE, "[review]\nsoft_reject_share = 0.5\n"])
def test_what_bans_workers_needs_the_name_of_the_ban(tmp_path: Path, section: str) -> None:
    (problem,) = problems(tmp_path, section)
    assert problem.startswith("block_qualification: is missing; ")


@pytest.mark.parametrize(
    ("toml", "told"),
    [
        ('[screening]\nqualification = "s"\n', "screening.max_units: must be at least 1"),
        (SCREENING + "use_real_units = true\n", "screening.max_units: must be left out with use_real_units"),
        ('[gold]\nqualification_base = "g"\nmax_units = 0\n', "gold.max_units: must be at least 1"),
        (GOLD + "min_golds = 10\n", "gold.max_units: 9 in all let nobody answer 10"),
        ("[onboarding]\n", "onboarding.qualification: is missing"),
        ('[choice]\norder = "priority"\n', "choice.column: is missing"),
        ('[choice]\ncolumn = "p"\n', "choice.column: means nothing"),
        ("[choice]\nseed = 3\n", "choice.seed: means nothing"),
        ("[review]\nsoft_reject_share = 1.5\n", "review.soft_reject_share: must be from 0"),
    ],
)
def test_a_section_that_makes_no_sense_is_refused(tmp_path: Path, toml: str, told: str) -> None:
    assert [problem for problem in problems(tmp_path, toml) if problem.startswith(told)]


def test_one_name_cannot_mean_passed_and_banned(tmp_path: Path) -> None:
    said = problems(
        tmp_path, 'block_qualification = "onboarded"\n[onboarding]\nqualification = "onboarded"\n'
    )
    assert said == ["onboarding.qualification: 'onboarded' would mean two things; name each differently"]


def test_what_the_run_itself_grants_cannot_be_asked_for_at_the_door(tmp_path: Path) -> None:
    said = problems(tmp_path, requirement("Exists") + '[onboarding]\nqualification = "english"\n')
    assert said == [
        "qualifications[0].name: 'english' is checked for [onboarding] already; delete this requirement"
    ]
