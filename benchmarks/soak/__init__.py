"""Twenty minutes at a good part of the best rate: does anything grow that should not?"""
