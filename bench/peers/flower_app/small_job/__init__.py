"""The small job as a Flower app; `bench.peers.job` is found by PYTHONPATH."""
