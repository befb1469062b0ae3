"""The demo: a real Kafka, a supervised worker, a Redis and believable accounts on one machine for a minute, shown live.

`stage` sets up and takes down, `watching` reads what the engine publishes, `telling` puts it into words, `screen` and `plain`
show it, `running` is the order of events.
"""
