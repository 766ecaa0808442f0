"""A service that reads all that Kafka has, from the beginning, one JSON line per event; ends when nothing comes."""

import sys

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

if __name__ == "__main__":
    bootstrap, quiet_seconds = sys.argv[1], float(sys.argv[2])
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "a-service", "enable.auto.commit": False})
    topics = consumer.list_topics(timeout=10).topics.values()
    consumer.assign(
        [TopicPartition(topic.topic, number, OFFSET_BEGINNING) for topic in topics for number in topic.partitions]
    )
    while (message := consumer.poll(quiet_seconds)) is not None:
        if message.error() is None:
            line = (message.topic(), message.key().decode(), message.value().decode())
            sys.stdout.write("\t".join(line) + "\n")
