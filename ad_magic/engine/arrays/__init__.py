"""NUMBERS, many at once: active arrays, and how NumPy's functions reach them. Nothing here is imported before
NumPy is."""
