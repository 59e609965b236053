"""What leaves the house as proof: a record's pack, and the evidence that a court gets."""
