"""Running `tierstream` as a person would: a process of its own against a broker, on topics of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agents.provisioning import create_topics
from agents.settings import Settings, load_settings
from tests.house.tree import ROOT


class Commands:
    """`tierstream` with the settings of one test in its environment."""

    def __init__(self, bootstrap: str, prefix: str, partitions: int = 4) -> None:
        self.settings: Settings = load_settings(
            {"bootstrap_servers": bootstrap, "topic_prefix": prefix, "partitions": partitions, "web_port": 0}
        )
        self.environment = {
            **os.environ,
            "TIERSTREAM_BOOTSTRAP_SERVERS": bootstrap,
            "TIERSTREAM_TOPIC_PREFIX": prefix,
            "TIERSTREAM_PARTITIONS": str(partitions),
            "TIERSTREAM_WEB_PORT": "0",
        }

    def with_topics(self) -> "Commands":
        """The same, with the topics made."""
        create_topics(self.settings)
        return self

    def run(self, *arguments: str, timeout_s: float = 120) -> subprocess.CompletedProcess[str]:
        """To its end."""
        return subprocess.run(self._command(arguments), env=self.environment, text=True, capture_output=True, cwd=ROOT, timeout=timeout_s)

    def json(self, *arguments: str, exit_code: int = 0) -> Any:
        """What it answers with `--json`."""
        ended = self.run(*arguments, "--json")
        assert ended.returncode == exit_code, ended.stderr + ended.stdout
        return json.loads(ended.stdout)

    def start(self, *arguments: str, log: Path | None = None) -> subprocess.Popen[bytes]:
        """Running; whoever starts it ends it."""
        output = subprocess.DEVNULL if log is None else log.open("ab")
        return subprocess.Popen(self._command(arguments), env=self.environment, stdout=output, stderr=output, cwd=ROOT)

    @contextmanager
    def running(self, *arguments: str, log: Path | None = None) -> Iterator[subprocess.Popen[bytes]]:
        """Running while the test is inside; stopped by SIGTERM, killed if it does not."""
        process = self.start(*arguments, log=log)
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    @staticmethod
    def _command(arguments: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "agents.cli", *arguments]
