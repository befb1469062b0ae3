"""What is on the wire or kept: records, Avro schemas, codec, topics, changelog formats, errors."""
