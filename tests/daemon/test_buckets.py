"""Histograms of our own say what prometheus_client's would say."""

from prometheus_client import CollectorRegistry, Histogram, generate_latest

from crowdd.daemon.metrics.buckets import BucketFamily

BOUNDS = (0.0005, 0.25, 1, 60.0)
VALUES = (0.0, 0.0005, 0.00051, 0.25, 0.9, 1.0, 59.0, 61.0, 1000.0)


def test_they_are_written_as_those_of_the_library() -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    family = BucketFamily("waits", "How long.", ("run", "what"), bounds=BOUNDS, registry=ours)
    histogram = Histogram("waits", "How long.", ("run", "what"), buckets=BOUNDS, registry=theirs)
    for value in VALUES:
        family.labels("digits", "a").observe(value)
        histogram.labels("digits", "a").observe(value)
    assert generate_latest(ours).splitlines() == [
        line for line in generate_latest(theirs).splitlines() if b"_created" not in line
    ]


def test_what_has_no_labels_is_shown_before_anything_was_noted() -> None:
    registry = CollectorRegistry()
    BucketFamily("waits", "How long.", (), bounds=BOUNDS, registry=registry).labels()
    assert registry.get_sample_value("waits_count") == 0


def test_those_of_a_run_are_dropped_and_no_others() -> None:
    registry = CollectorRegistry()
    family = BucketFamily("waits", "How long.", ("run", "what"), bounds=BOUNDS, registry=registry)
    for run in ("digits", "letters"):
        family.labels(run, "a").observe(1)
    family.leave("run", "digits")
    assert registry.get_sample_value("waits_count", {"run": "digits", "what": "a"}) is None
    assert registry.get_sample_value("waits_count", {"run": "letters", "what": "a"}) == 1
