"""From an acknowledgement to the row in a view, through Kafka, while others write."""
