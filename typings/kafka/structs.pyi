from kafka import ConsumerGroupMetadata as ConsumerGroupMetadata
from kafka import OffsetAndMetadata as OffsetAndMetadata
from kafka import OffsetAndTimestamp as OffsetAndTimestamp
from kafka import TopicPartition as TopicPartition
