"""CALCULUS of arrays: the primitives that no expression can say (sums, products, solving, moving entries, …)."""
