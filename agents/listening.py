"""The socket of a worker's web views, bound before anything else starts: a busy port is a sentence, not a crash half-way up.

Port 0 takes a free one; the socket is handed on as it is, so nobody can take the port in between.
"""

import socket

from schemas.errors import SettingsError


def listen(host: str, port: int) -> socket.socket:
    """A bound TCP socket. Raises SettingsError when the address is taken or not this machine's."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as problem:
        raise SettingsError(f"TIERSTREAM_WEB_HOST must be an address of this machine, got {host} ({problem.strerror})") from problem
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(128)
    except OSError as problem:
        listener.close()
        raise SettingsError(
            f"the web views need a free address, got {host}:{port} ({problem.strerror}): "
            "stop what listens there or set TIERSTREAM_WEB_PORT (0 takes a free one)"
        ) from problem
    return listener
