"""Measurements that can be repeated: each module is a command, `python -m bench.<x>`.

A command prints its figures, `--json` prints them for machines, and it exits with 1
where a bar is missed.
"""
