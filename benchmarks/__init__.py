"""How fast and how small it is: ratios, measured side by side in one run. `python -m benchmarks` prints them."""
