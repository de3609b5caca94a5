"""The one table of RPC methods. A module of methods fills it with two decorators; `rpc_methods` lists it.

@method("chain_getHeader")
def get_header(node: Node, at: BlockHash | None = None) -> Json: ...

@subscription("chain_subscribeNewHeads", "chain_newHead", "chain_unsubscribeNewHeads")
def new_heads(node: Node, sink: Sink) -> Cancel: ...
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from node.rpc.params import Parameter, bind, parameters
from node.service import Node

Json = Any
Cancel = Callable[[], None]


class Sink(Protocol):
    """Where a subscription sends its results."""

    def send(self, result: Json) -> None:
        """Queue one notification; after the end it does nothing."""
        ...

    def close(self) -> None:
        """End the subscription from the node's side: there is nothing more to say."""
        ...


class Method(NamedTuple):
    """A plain method."""

    function: Callable[..., Json]
    parameters: tuple[Parameter, ...]

    def call(self, node: Node, params: Json) -> Json:
        """Read the parameters and run; raises `RpcError`."""
        return self.function(node, *bind(self.parameters, params))


class Subscription(NamedTuple):
    """A method that opens a stream of notifications called `notification`."""

    function: Callable[..., Cancel]
    parameters: tuple[Parameter, ...]
    notification: str
    unsubscribe: str

    def open(self, node: Node, sink: Sink, params: Json) -> Cancel:
        """Read the parameters and start; returns what stops it."""
        return self.function(node, sink, *bind(self.parameters, params))


METHODS: dict[str, Method] = {}
SUBSCRIPTIONS: dict[str, Subscription] = {}
UNSUBSCRIBE: dict[str, str] = {}
"""Each unsubscribe method with the notification that it ends."""


F = TypeVar("F", bound=Callable[..., Any])


def method(name: str, aliases: Sequence[str] = ()) -> Callable[[F], F]:
    """Enter a function into the table under a name and its aliases."""

    def enter(function: F) -> F:
        entry = Method(function, parameters(function, 1))
        METHODS.update(dict.fromkeys([name, *aliases], entry))
        return function

    return enter


def subscription(
    name: str,
    notification: str,
    unsubscribe: str,
    aliases: Sequence[str] = (),
    unsubscribe_aliases: Sequence[str] = (),
) -> Callable[[F], F]:
    """Enter a subscription, with the method that ends it."""

    def enter(function: F) -> F:
        entry = Subscription(function, parameters(function, 2), notification, unsubscribe)
        SUBSCRIPTIONS.update(dict.fromkeys([name, *aliases], entry))
        UNSUBSCRIBE.update(dict.fromkeys([unsubscribe, *unsubscribe_aliases], notification))
        return function

    return enter


def names() -> list[str]:
    """All that a client may call."""
    return sorted({*METHODS, *SUBSCRIPTIONS, *UNSUBSCRIBE})
