"""The certificate: what was done, what was found, and how to do it again."""

import json
from datetime import UTC, datetime
from pathlib import Path

from click.testing import CliRunner

from crowdd.cli import crowdd
from crowdd.testing.certify.findings import CampaignResult, Finding, Plan
from crowdd.testing.certify.report import Report, quantile, verdict

FINDING = Finding("kills", "scene 7: run words: lost", "crowdd certify --seed 7 --cycles 50")


def a_report(*violations: Finding) -> Report:
    done = CampaignResult(
        "kills", 50, {"submit": 120}, violations, [10.0, 30.0, 20.0], ["killed: daemon 9 times"], 12.0
    )
    return Report("1.2", Plan(Path("folder"), seed=7), [done], datetime(2026, 11, 22, tzinfo=UTC))


def test_a_certificate_says_that_all_held() -> None:
    assert verdict(a_report()) == "50 cycles, 0 violations."
    text = a_report().as_markdown()
    assert "| submit | 120 |" in text
    assert "p50 20 ms, p99 30 ms, at most 30 ms (3 starts)" in text
    assert "Violations: none" in text


def test_a_certificate_says_what_broke_and_how_to_see_it_again() -> None:
    assert verdict(a_report(FINDING)) == "50 cycles, 1 violation."
    text = a_report(FINDING).as_markdown()
    assert FINDING.words in text
    assert FINDING.repeat in text


def test_programs_are_told_the_same() -> None:
    told = json.loads(json.dumps(a_report(FINDING).as_json()))
    assert (told["violations"], told["seed"], told["crowdd"]) == (1, 7, "1.2")
    (campaign,) = told["campaigns"]
    assert campaign["operations"] == {"submit": 120}
    assert campaign["violations"][0]["repeat"] == FINDING.repeat
    assert campaign["first_answer_ms"] == {"count": 3, "p50": 20.0, "p99": 30.0, "max": 30.0}


def test_of_nothing_every_quantile_is_zero() -> None:
    assert quantile([], 0.5) == 0.0
    assert quantile([5.0], 0.99) == 5.0


def test_nothing_is_certified_where_nothing_is_tried() -> None:
    told = CliRunner().invoke(crowdd, ["certify", "--cycles", "0"])
    assert (told.exit_code, told.stdout) == (2, "")
    assert "nothing would be tried" in told.stderr
