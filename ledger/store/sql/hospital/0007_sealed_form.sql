-- What the envelope says of its body is not all: the body itself has the sealed form (docs/formats.md), whose first byte
-- no message begins with, and is no shorter than the smallest one. Without an envelope the row is none of the log's: the
-- library's own tests store such states. NOT VALID as in step 5.
ALTER TABLE {schema}.events ADD CONSTRAINT events_bodies_have_the_sealed_form CHECK (
    envelope = ''::bytea OR (octet_length(body) >= 285 AND substring(body FOR 1) = '\x01'::bytea)
) NOT VALID;
