"""One of Flower's messages at a node: taken up, answered, reported, whatever happens.

A SuperNode waits for the reply to each message that it has handed on, and for nothing
else meanwhile. So there is a reply to each, if only that it could not be read.
"""

from collections.abc import Callable
from hashlib import sha256

from flwr.app import Error, Message, RecordDict
from flwr.common.constant import ErrorCode, SubStatus
from flwr.common.serde import context_from_proto, message_from_proto
from flwr.proto.message_pb2 import ObjectTree
from flwr.proto.node_pb2 import Node
from flwr.proto.runtime_pb2 import PullAppMessagesRequest, PullTaskInputRequest
from flwr.supercore.inflatable.inflatable_object import InflatableObject
from flwr.supercore.inflatable.inflatable_protobuf_utils import (
    make_confirm_message_received_fn_protobuf,
    make_pull_object_fn_protobuf,
)
from flwr.supercore.inflatable.inflatable_utils import (
    ObjectPullError,
    pull_and_inflate_object_from_tree,
)
from flwr.supercore.runtime import RuntimeHttpClient
from flwr.supercore.task_identity import TaskIdentity
from flwr.supernode.runtime.run_clientapp import push_message, push_task_output

# Of a message, and the fingerprint of the app that its run was submitted with.
Answering = Callable[[RecordDict, str], RecordDict | Error]
_PULL_SECONDS = 20.0  # Flower's own tries for two hours
_BACKOFF = 0.05


def carry_out(client: RuntimeHttpClient, answer: Answering) -> None:
    """Answer the message of the task that a client's token stands for.

    Args:
        client: Of `Runtime.at_task`.
        answer: Called with what the message holds; the app is never run.

    Raises:
        httpx.HTTPError: The SuperNode, or the run, is gone.
    """
    told = client.PullTaskInput(PullTaskInputRequest())
    TaskIdentity.task_id = told.task_id
    TaskIdentity.run_id = told.run.run_id
    TaskIdentity.node_id = told.context.node_id
    context = context_from_proto(told.context)
    found = client.PullMessages(PullAppMessagesRequest())
    asked = message_from_proto(found.messages_list[0])
    asked.metadata.__dict__["_message_id"] = found.message_object_trees[0].object_id
    reply: RecordDict | Error
    try:
        content = _content(client, found.message_object_trees[0])
    except ObjectPullError:
        reply = Error(ErrorCode.MESSAGE_UNAVAILABLE, "The message is gone.")
    else:
        reply = answer(content, sha256(told.fab.content).hexdigest())
    push_message(client, Message(reply, reply_to=asked), context)
    push_task_output(client, context, SubStatus.COMPLETED, "")


def _content(client: RuntimeHttpClient, tree: ObjectTree) -> RecordDict:
    node, run = Node(node_id=TaskIdentity.node_id), TaskIdentity.run_id
    found: InflatableObject = pull_and_inflate_object_from_tree(
        tree,
        make_pull_object_fn_protobuf(client.PullObject, node, run),
        make_confirm_message_received_fn_protobuf(
            client.ConfirmMessageReceived, node, run
        ),
        return_type=Message,
        max_time=_PULL_SECONDS,
        initial_backoff=_BACKOFF,
    )
    return found.content if isinstance(found, Message) else RecordDict()
