"""The inpatient story: one record from registration to destruction, told as a timeline."""
