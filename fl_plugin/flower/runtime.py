"""The tasks of a SuperLink or SuperNode: claimed, carried out and reported here.

Flower starts a process for each message and runs in it whatever was uploaded. Here one
process claims the tasks itself (Flower's `process` isolation), so nothing that was
uploaded ever runs, and nothing is imported or read again for each message.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
from flwr.proto.runtime_pb2 import (
    AcquireTaskRequest,
    SendTaskHeartbeatRequest,
)
from flwr.proto.task_pb2 import Task
from flwr.supercore.constant import TaskType
from flwr.supercore.interceptors import (
    RuntimeTokenHttpInterceptor,
    RuntimeVersionHttpInterceptor,
    SuperExecAuthHttpInterceptor,
)
from flwr.supercore.retry import RetryInvoker, constant
from flwr.supercore.runtime import RuntimeHttpClient

from fl_plugin.flower.forwarding import Address

RETRY_SECONDS = 20.0
_HEARTBEAT_SECONDS = 10.0
_CLAIM = "/flwr.proto.Runtime/AcquireTask"


def patient() -> RetryInvoker:
    """Return how a call is tried again that found nobody, for a while."""
    return RetryInvoker(
        wait_gen_factory=lambda: constant(0.2),
        recoverable_exceptions=(httpx.TransportError,),
        max_tries=None,
        max_time=RETRY_SECONDS,
    )


class Runtime:
    """Where tasks are claimed.

    Args:
        address: Of the SuperLink or SuperNode, on this machine.
        secret: That it knows its own executor by.
        authority: Whose certificate it shows; None for plain bytes.
    """

    def __init__(
        self, address: Address, secret: bytes, authority: Path | None = None
    ) -> None:
        self.address = address
        self.root = authority.read_bytes() if authority else None
        self._claiming = self._client(
            SuperExecAuthHttpInterceptor(
                master_secret=secret, protected_methods={_CLAIM}
            ),
            "SuperExec",
            None,
        )

    def claim(self, kind: TaskType) -> tuple[Task, str] | None:
        """Return the next task and the token that it is reported with, if there is one.

        Raises:
            httpx.HTTPError: Nobody answers there.
        """
        asked = AcquireTaskRequest(supported_task_types=[kind])
        found = self._claiming.AcquireTask(asked)
        if found.HasField("task") and found.token:
            return found.task, found.token
        return None

    @contextmanager
    def at_task(self, token: str) -> Iterator[RuntimeHttpClient]:
        """Return a client for one task, which says meanwhile that somebody is at it."""
        client = self._client(
            RuntimeTokenHttpInterceptor(token), "flwr-clientapp", patient()
        )
        try:
            with beating(client):
                yield client
        finally:
            client.close()

    def close(self) -> None:
        """Close the connection."""
        self._claiming.close()

    def _client(
        self,
        tokens: SuperExecAuthHttpInterceptor | RuntimeTokenHttpInterceptor,
        component: str,
        retry: RetryInvoker | None,
    ) -> RuntimeHttpClient:
        return RuntimeHttpClient.from_server_address(
            server_address=str(self.address),
            insecure=self.root is None,
            root_certificates=self.root,
            interceptors=[RuntimeVersionHttpInterceptor(component), tokens],
            retry_invoker=retry,
        )


@contextmanager
def beating(client: RuntimeHttpClient) -> Iterator[None]:
    """Tell whoever gave a task, now and then, that it is being carried out."""
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(_HEARTBEAT_SECONDS):
            with suppress(httpx.HTTPError):
                client.SendTaskHeartbeat(SendTaskHeartbeatRequest())

    thread = threading.Thread(target=beat, daemon=True)
    with suppress(httpx.HTTPError):  # the first one says that it has begun
        client.SendTaskHeartbeat(SendTaskHeartbeatRequest())
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
