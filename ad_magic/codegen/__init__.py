"""PROGRAMS: source text from a recorded run, and from the cell itself.

Its modules are imported one by one: a slider asks for `compiled` alone, which needs no NumPy.
"""
