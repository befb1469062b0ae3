"""What to alert on, as data: one table, from which Prometheus' rule files are written, at any scale of time."""
