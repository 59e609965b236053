-- What is there is read once, as in step 6; of a body no more than its beginning.
ALTER TABLE {schema}.events VALIDATE CONSTRAINT events_bodies_have_the_sealed_form;
