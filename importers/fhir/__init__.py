"""Import of FHIR R4 NDJSON: `scan` checks all files, `plan` orders the commands, `delivery` sends, `report` counts."""
