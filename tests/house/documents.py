"""What the documents say that the code knows better: tables between markers, names of tests, links, fences.

`python -m tests.house.documents` writes the tables anew.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from agents.metric_catalogue import LABELS, METRICS, PROJECTION, MetricSpec
from agents.rights import DUTIES, Duty, Right, rights
from agents.settings import catalogue
from schemas.topics import TOPICS, Topic
from tests.house.tree import ROOT, files

OPERATIONS = ROOT / "docs" / "operations.md"
METRIC_PAGE = ROOT / "docs" / "metrics.md"
PREFIX, APPLICATION = "<prefix>", "<application id>"
_FENCE = re.compile(r"^```(?P<about>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


def documents() -> Iterator[Path]:
    """Every page."""
    yield from (path for path in files() if path.suffix == ".md")


def fences(page: Path, about: str) -> list[str]:
    """The texts of the page's fences that open with these words."""
    return [found["text"] for found in _FENCE.finditer(page.read_text(encoding="utf-8")) if found["about"] == about]


def prose(page: Path) -> str:
    """The page without its fences."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def leads_somewhere(page: Path, link: str) -> bool:
    """Whether a page links to a file that is there, and to a heading that it has."""
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    return target.exists() and (not anchor or anchor in _anchors(target))


@cache
def _anchors(page: Path) -> frozenset[str]:
    """As code hosts make them of headings."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return frozenset(re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings)


def settings_table() -> str:
    """Every setting, as `agents.settings` declares it."""
    lines = [
        f"| `{setting.variable}` | {f'`{setting.default}`' if setting.default else ''} | {setting.unit} | {setting.meaning} |"
        for setting in catalogue()
    ]
    return "\n".join(["| variable | default | unit | meaning |", "|---|---|---|---|", *lines])


def topics_table() -> str:
    """Every topic of the catalogue."""
    header = [
        "| topic | role | key | partitions | cleanup | retention | time stamp | what flows there |",
        "|---|---|---|---|---|---|---|---|",
    ]
    return "\n".join([*header, *map(_topic, TOPICS.values())])


def _topic(topic: Topic) -> str:
    kept = "for ever" if topic.retention_ms == -1 else f"{topic.retention_ms} ms"
    columns = (
        f"`{topic.name}`" + (" (per application)" if topic.per_application else ""),
        topic.role.value,
        topic.key,
        "all" if topic.co_partitioned else "1",
        topic.cleanup,
        "the latest of each key" if topic.cleanup == "compact" else kept,
        "append" if topic.log_append_time else "create",
        topic.doc,
    )
    return f"| {' | '.join(columns)} |"


def metrics_table(metrics: Mapping[str, MetricSpec] = METRICS) -> str:
    """Every metric of the catalogue."""
    lines = [
        f"| `{name}` | {each.type} | {', '.join(each.labels)} | {each.means}{f' {each.reading}.' if each.reading else ''} |"
        for name, each in metrics.items()
    ]
    return "\n".join(["| metric | type | labels | meaning |", "|---|---|---|---|", *lines])


def projection_table() -> str:
    """Every metric of a projection."""
    return metrics_table(PROJECTION)


def labels_table() -> str:
    """What the labels of the metrics may say."""
    return "\n".join(["| label | values |", "|---|---|", *(f"| `{label}` | {values} |" for label, values in LABELS.items())])


def rights_table() -> str:
    """The least that each command needs, one line for each operation on each kind of thing."""
    lines = [line for duty in DUTIES for line in _rights_of(duty)]
    return "\n".join(["| command | operation | on | pattern | names |", "|---|---|---|---|---|", *lines])


def _rights_of(duty: Duty) -> Iterator[str]:
    names: dict[tuple[str, str, bool], list[str]] = {}
    for right in rights(duty, PREFIX, APPLICATION):
        names.setdefault((right.operation, right.resource, right.prefixed), []).append(f"`{right.name}`")
    for (operation, resource, prefixed), found in names.items():
        yield f"| {duty} | {operation} | {resource} | {'prefixed' if prefixed else 'literal'} | {', '.join(found)} |"


def documented_rights(duty: Duty, prefix: str, application: str) -> list[Right]:
    """The rights that the page of operations lists for a command, in a deployment: what an operator would apply."""
    row = re.compile(rf"^\| {re.escape(duty)} \| (\w+) \| (\w+) \| (prefixed|literal) \| (.*) \|$", re.MULTILINE)
    return [
        Right(resource, name.replace(PREFIX, prefix).replace(APPLICATION, application), operation, pattern == "prefixed")  # type: ignore[arg-type]
        for operation, resource, pattern, names in row.findall(OPERATIONS.read_text(encoding="utf-8"))
        for name in re.findall(r"`([^`]+)`", names)
    ]


TABLES = {
    OPERATIONS: {"settings": settings_table, "topics": topics_table, "rights": rights_table},
    METRIC_PAGE: {"metrics": metrics_table, "projection": projection_table, "labels": labels_table},
}


def with_tables(page: Path) -> str:
    """The page with every marked table as the code would write it."""
    text = page.read_text(encoding="utf-8")
    for name, table in TABLES[page].items():
        marked = re.compile(rf"(<!-- {name}: begin[^\n]*-->\n).*?(<!-- {name}: end -->)", re.DOTALL)
        if not marked.search(text):
            raise ValueError(f"page must have the markers of the table {name} ({page})")
        text = marked.sub(lambda found, table=table: f"{found[1]}{table()}\n{found[2]}", text)  # type: ignore[misc]
    return text


if __name__ == "__main__":
    for each in TABLES:
        each.write_text(with_tables(each), encoding="utf-8")
