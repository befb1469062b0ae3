"""The rule files on disk: `rules/recording.yml` and `rules/alerts.yml` in a folder, as they are in `ops/prometheus`.

python -m ops.alerts                                the files of ops/prometheus anew
python -m ops.alerts --scale 60 FOLDER              a minute for an hour, to try them out
python -m ops.alerts --runbooks https://... FOLDER  with links to wherever the manual is read
"""

import argparse
from pathlib import Path
from typing import Any

import yaml

from ops.alerts.rules import RUNBOOKS, alerting_rules, recording_rules

SHIPPED = Path(__file__).parents[1] / "prometheus"
_HEAD = "# Written by `python -m ops.alerts` from ops/alerts/table.py: change it there.\n"


class _Blocks(yaml.SafeDumper):
    """YAML as people write it: long expressions in blocks of their own lines."""

    def represent_scalar(self, tag: str, value: Any, style: str | None = None) -> yaml.ScalarNode:
        """Extends `BaseRepresenter.represent_scalar`: lines stay lines."""
        return super().represent_scalar(tag, value, "|" if isinstance(value, str) and "\n" in value else style)


def files(scale: float = 1, runbooks: str = RUNBOOKS) -> dict[str, str]:
    """Each file by its name in the folder."""
    return {
        "rules/recording.yml": _written(recording_rules(scale)),
        "rules/alerts.yml": _written(alerting_rules(scale, runbooks)),
    }


def write(folder: Path, scale: float = 1, runbooks: str = RUNBOOKS) -> None:
    """Put the files into the folder."""
    for name, text in files(scale, runbooks).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def main() -> None:
    """The command line above."""
    options = argparse.ArgumentParser(prog="python -m ops.alerts", description="Write Prometheus' rule files.")
    options.add_argument("folder", nargs="?", type=Path, default=SHIPPED)
    options.add_argument("--scale", type=float, default=1, help="so many times faster than real time")
    options.add_argument("--runbooks", default=RUNBOOKS, help="where the manual is read")
    chosen = options.parse_args()
    write(chosen.folder, chosen.scale, chosen.runbooks)


def _written(content: dict[str, Any]) -> str:
    return _HEAD + yaml.dump(content, Dumper=_Blocks, sort_keys=False, width=140, allow_unicode=True)
