-- Which transfer topics on Kafka a hospital has sent to: another identity or beginning means that events were lost there.
CREATE TABLE ledger_control.transfer_topics (
    hospital text NOT NULL,
    recipient text NOT NULL,
    topic_id text NOT NULL,
    beginning bigint NOT NULL,
    PRIMARY KEY (hospital, recipient)
);

GRANT SELECT, INSERT, UPDATE ON ledger_control.transfer_topics TO ledger_stream;
