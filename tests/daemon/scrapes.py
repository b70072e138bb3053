"""One page of metrics, read back as Prometheus would."""

import attrs
from prometheus_client.parser import text_string_to_metric_families


@attrs.frozen
class Scrape:
    """The samples of a page: (name, labels, value)."""

    text: str
    samples: list[tuple[str, dict[str, str], float]]
    families: frozenset[str]

    @classmethod
    def of(cls, text: str) -> "Scrape":
        families = list(text_string_to_metric_families(text))
        samples = [(s.name, dict(s.labels), s.value) for family in families for s in family.samples]
        names = {f"{f.name}_total" if f.type == "counter" else f.name for f in families}
        return cls(text, samples, frozenset(names))

    def values(self, name: str, **labels: str) -> list[float]:
        """The values of all series of this name that have these labels."""
        return [
            value
            for sample, its_labels, value in self.samples
            if sample == name and labels.items() <= its_labels.items()
        ]

    def value(self, name: str, **labels: str) -> float:
        """Their sum; 0 when there are none."""
        return sum(self.values(name, **labels))
