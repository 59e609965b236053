-- What is there is read once, while commands go on, and never again: a constraint that holds for all rows is what
-- `ledger serve` asks for before it opens a hospital. It fails where one body lies in the clear.
ALTER TABLE {schema}.events VALIDATE CONSTRAINT events_bodies_are_sealed;
