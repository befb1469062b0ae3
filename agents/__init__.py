"""Who runs it: the only room with Faust, Kafka, Redis, Prometheus and a clock."""
