"""Which loopback ports a broker may take.

Rule: below the range from which the system takes source ports. A client that keeps trying a port of that range while the broker
is away can be given the very port as its own and then talks to itself: the broker could not come back.
"""

import random
import socket
from contextlib import ExitStack
from pathlib import Path

_LOWEST, _HIGHEST = 20_000, 32_000
_SOURCE_PORTS = Path("/proc/sys/net/ipv4/ip_local_port_range")
_ATTEMPTS = 200


def free_ports(count: int) -> list[int]:
    """`count` different ports that nobody listens on now."""
    below = min(_HIGHEST, _first_source_port())
    candidates = random.SystemRandom().sample(range(min(_LOWEST, below // 2), below), _ATTEMPTS)
    with ExitStack() as held:
        taken = []
        for port in candidates:
            listener = held.enter_context(socket.socket())
            if _bound(listener, port):
                taken.append(port)
            if len(taken) == count:
                return taken
    raise OSError(f"none of {_ATTEMPTS} ports tried below {below} is free")


def is_free(port: int) -> bool:
    """Whether a listener could have `port` on the loopback interface now."""
    with socket.socket() as listener:
        return _bound(listener, port)


def _bound(listener: socket.socket, port: int) -> bool:
    # As Kafka binds: a port whose last connections are still closing is free.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True


def _first_source_port() -> int:
    try:
        return int(_SOURCE_PORTS.read_text().split()[0])
    except (OSError, ValueError):
        return _HIGHEST
