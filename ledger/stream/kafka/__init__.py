"""The published stream on Apache Kafka, by kafka-python. Its traps are named in docs/stream.md, each with a test."""
