"""Other systems on the same rows: a file and a requirements file for each.

A peer's file runs in an environment of its own (`environment.py`), so it may import of
this repository only what needs no more than NumPy: `bench.cases`, `bench.usage` and
`crew.py`. It is called as `python -m bench.peers.NAME FOLDER JOB SIDE`, where SIDE is
`pooled` or `federated`, and prints one JSON object, as `bench.measure` does.
"""
