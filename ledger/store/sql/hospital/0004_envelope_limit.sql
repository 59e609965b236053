-- The log takes no envelope above 4 KiB, so the ledger takes none either: appended, it would hold up the log for good.
-- NOT VALID looks at no row that is there: no release wrote a longer one, and a scan under this lock would stop commands.
ALTER TABLE {schema}.events
    ADD CONSTRAINT events_envelope_fits_the_log CHECK (octet_length(envelope) <= 4096) NOT VALID;
