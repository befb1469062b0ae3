"""The Java side of the benchmarks: Kafka Streams' jars, and the Eclipse compiler, which needs no JDK but only the Java of the wheel.

The lock file next to this module names each jar with its size and digest. To move to other versions, change `COORDINATES` and run
`python -m benchmarks.peers.artifacts`.
"""

import os
import subprocess
from pathlib import Path

from agents.embedded import jars, java
from agents.embedded.progress import Progress

STREAMS_VERSION = jars.KAFKA_VERSION
COORDINATES = (
    f"org.apache.kafka:kafka-streams:{STREAMS_VERSION}",
    "org.apache.avro:avro:1.12.1",
    "org.slf4j:slf4j-simple:1.7.36",
    "org.eclipse.jdt:ecj:3.43.0",
)
LOCK = Path(__file__).with_name("streams.lock.json")
_COMPILER, _LEVEL = "org.eclipse.jdt.internal.compiler.batch.Main", "21"


def fetched(home: Path, progress: Progress) -> list[Path]:
    """The jars, below `home`; what is there and whole is not fetched again. Raises SettingsError."""
    return jars.fetch(home / "jars", progress, LOCK, f"Kafka Streams {STREAMS_VERSION}")


def compiled(source: Path, classpath: list[Path], classes: Path) -> Path:
    """The directory with the classes of `source`, made anew. A source that does not compile is an error with the compiler's words."""
    arguments = [
        "-proc:none",
        "-nowarn",
        "-source",
        _LEVEL,
        "-target",
        _LEVEL,
        "-cp",
        os.pathsep.join(map(str, classpath)),
        "-d",
        str(classes),
    ]
    done = subprocess.run(java.command(classpath, _COMPILER, *arguments, str(source)), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{source.name} does not compile: {done.stderr or done.stdout}")
    return classes


if __name__ == "__main__":
    LOCK.write_text(jars.lock_anew(COORDINATES))
