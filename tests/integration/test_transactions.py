"""Transactions of commands on a real broker: what can never be taken is said and not tried for ever, and leaves nothing behind."""

from random import Random

import pytest
from confluent_kafka.admin import NewTopic

from agents import clients
from agents.embedded.broker import Broker
from agents.reading import committed_records
from agents.settings import Settings, load_settings
from agents.transactions import Transactions
from schemas.errors import SettingsError

LARGEST = 1_000


@pytest.fixture
def settings(kafka: Broker, prefix: str) -> Settings:
    """With a topic that takes small records only."""
    made = load_settings({"bootstrap_servers": kafka.bootstrap, "topic_prefix": prefix})
    topic = NewTopic(made.topic_name("orders"), 1, 1, config={"max.message.bytes": str(LARGEST)})
    admin = clients.admin_client(made)
    for answer in admin.create_topics([topic]).values():
        answer.result(20)
    return made


@pytest.mark.parametrize("more", [False, True], ids=["last", "before others"])
def test_a_record_that_its_topic_never_takes_ends_the_work_with_the_brokers_words(settings: Settings, more: bool) -> None:
    transactions = Transactions(settings, "work", "work")
    transactions.open()

    def send() -> None:
        transactions.produce("orders", b"large", Random(1).randbytes(2 * LARGEST))
        if more:  # when the broker has refused the first already
            transactions.flush(20)
            transactions.produce("orders", b"behind", b"")

    with pytest.raises(SettingsError, match=r"Kafka refuses the records of this work: .*Message size too large"):
        transactions.commit(send)
    transactions.commit(lambda: transactions.produce("orders", b"small", b""))
    assert [raw.key for raw in committed_records(settings, "orders")] == [b"small"]
