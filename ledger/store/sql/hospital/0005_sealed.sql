-- No body is stored in the clear, whoever writes: before the last field, prev_leaf (tag 5a20) where there is one, stands
-- the commitment, or in an envelope of a clear body the digest (tag 4a20), as `lies_in_the_clear` says.
-- NOT VALID looks at no row that is there: a scan under this lock would stop commands.
ALTER TABLE {schema}.events ADD CONSTRAINT events_bodies_are_sealed CHECK (
    substring(
        envelope FROM octet_length(envelope)
            - CASE substring(envelope FROM octet_length(envelope) - 33 FOR 2) WHEN '\x5a20'::bytea THEN 67 ELSE 33 END
        FOR 2
    ) <> '\x4a20'::bytea
) NOT VALID;
