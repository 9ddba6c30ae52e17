"""The table of the market pipeline: keys, item shapes, questions. Pure, and shared by functions."""
