"""The tree is fit for strangers: it names its two commands, and nothing in it belongs to one machine."""

import re

from tests.house.tree import ROOT, files, place

# Written in pieces, so that this file does not find itself.
_FOREIGN = {
    "a path of one machine": re.compile("|".join(["/" + "root/", "/" + "work/", "/" + r"home/\w", "/" + r"Users/\w", "/" + "tmp/scratch"])),
    "the host of a package registry": re.compile(
        "|".join(
            [
                "repo1?" + r"\.maven",
                "maven" + r"\.apache",
                "py" + r"pi\.org",
                "python" + "hosted",
                "npm" + r"js\.(org|com)",
                "proxy" + r"\.golang",
            ]
        )
    ),
    "unfinished work": re.compile("|".join(rf"\b{word}\b" for word in ("TO" + "DO", "FIX" + "ME", "HA" + "CK"))),
}


def test_readme_names_both_commands() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [command for command in ("make demo", "make test") if command not in readme] == []


def test_nothing_belongs_to_one_machine_and_nothing_is_left_for_later() -> None:
    found = []
    for path in files():
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue  # not text
        for number, line in enumerate(lines, 1):
            found += [
                f"{place(path, number)} has {what}: {line.strip()[:100]}" for what, pattern in _FOREIGN.items() if pattern.search(line)
            ]
    assert found == []


def test_ci_runs_the_commands_that_the_readme_names() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o100
    assert [target for target in ("make test", "make test-faults") if target not in script.read_text(encoding="utf-8")] == []
