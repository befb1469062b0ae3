"""Somebody whom Alertmanager tells: a webhook that keeps what it is told, and the configuration that names it."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

from ops.alerts.files import SHIPPED, write
from tests.companions.programs import Server

SCRAPE_S = 1


class Webhook:
    """Alerts as they come in."""

    def __init__(self) -> None:
        self.url = ""
        self.alerts: list[dict[str, Any]] = []

    def firing(self) -> set[str]:
        """The names of all alerts that were ever told of as firing."""
        return {alert["labels"]["alertname"] for alert in list(self.alerts) if alert["status"] == "firing"}

    def resolved(self) -> set[str]:
        """The names of all alerts that were ever told of as over."""
        return {alert["labels"]["alertname"] for alert in list(self.alerts) if alert["status"] == "resolved"}

    def about(self, name: str) -> dict[str, Any]:
        """What was last told of an alert."""
        return next(alert for alert in reversed(list(self.alerts)) if alert["labels"]["alertname"] == name)


@contextmanager
def listening() -> Iterator[Webhook]:
    """A webhook on loopback, while the caller is inside."""
    told = Webhook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.alerts += json.loads(self.rfile.read(int(self.headers["Content-Length"])))["alerts"]
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Not on the terminal."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.url = f"http://127.0.0.1:{server.server_address[1]}/"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def tell(folder: Path, webhook: Webhook) -> None:
    """The shipped configuration of Alertmanager, with somebody to tell and no time to lose."""
    shipped = yaml.safe_load((SHIPPED / "alertmanager.yml").read_text())
    shipped["route"] |= {"group_wait": "100ms", "group_interval": "500ms"}
    for receiver in shipped["receivers"]:
        receiver["webhook_configs"] = [{"url": webhook.url}]
    (folder / "alertmanager.yml").write_text(yaml.safe_dump(shipped))


def watch(folder: Path, scale: float, alertmanager: Server, *workers: str) -> None:
    """The shipped configuration of Prometheus at a scale of time, with these workers as targets."""
    write(folder, scale)
    shipped = yaml.safe_load((SHIPPED / "prometheus.yml").read_text())
    shipped["global"] = {"scrape_interval": f"{SCRAPE_S}s", "evaluation_interval": "250ms"}
    shipped["alerting"]["alertmanagers"] = [{"static_configs": [{"targets": [f"127.0.0.1:{alertmanager.port}"]}]}]
    (job,) = (job for job in shipped["scrape_configs"] if job["job_name"] == "tierstream")
    job["static_configs"] = [{"targets": [worker.removeprefix("http://") for worker in workers]}]
    shipped["scrape_configs"] = [job]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(shipped))
