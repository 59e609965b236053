-- An imported person is found again by an HMAC of its source under the reservation key; ids are random, and the source
-- itself is kept nowhere. No release kept a source in the clear, so the column goes at once.
ALTER TABLE {schema}.actors
    DROP COLUMN source,
    ADD COLUMN source_key bytea UNIQUE CHECK (length(source_key) = 32);
