"""Publishing to Kafka beside a bare transactional producer."""
