"""Whoever ends a process that goes on is heard, whatever its main thread waits in."""

import signal
import subprocess
import sys

import pytest

DEAF = """
import os, signal, socket
from fl_plugin.cli.answering import until_stopped

until_stopped(lambda: os._exit(7))
# As if the signal came just before the wait: nothing interrupts that.
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
here, there = socket.socketpair()
print("waits", flush=True)
here.recv(1)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_heard_while_the_main_thread_waits(number):
    with subprocess.Popen(
        [sys.executable, "-c", DEAF], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waits\n"
        process.send_signal(number)
        try:
            assert process.wait(60) == 7
        finally:
            process.kill()
