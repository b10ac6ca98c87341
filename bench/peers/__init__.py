"""Other systems on the same rows: a file and a requirements file for each.

A peer's file runs in an environment of its own (`environment.py`), so it may import of
this repository only what needs no more than NumPy: `bench.cases`, `bench.usage` and
`crew.py`. Its `run` does what an `Order` says, and prints one JSON object, as
`bench.measure` does.
"""
