"""The one table of RPC methods. A module of methods fills it with two decorators; `rpc_methods` lists it.

@method("chain_getHeader")
def get_header(node: Node, at: BlockHash | None = None) -> Json: ...

@method("chainHead_v1_header")
def header(node: Node, client: Client, follow_subscription: Text, hash: BlockHash) -> Json: ...

@subscription("chain_subscribeNewHeads", "chain_newHead", "chain_unsubscribeNewHeads")
def new_heads(node: Node, sink: Sink) -> Cancel: ...

A method whose second parameter is called `client` is told who asks. `unsafe=True` marks what only the
operator may call (`--rpc-methods`).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from node.rpc.errors import METHOD_NOT_FOUND, RpcError
from node.rpc.params import Parameter, bind, parameters
from node.service import Node

Json = Any
Cancel = Callable[[], None]


def together(*cancels: Cancel) -> Cancel:
    """One function that stops several sources."""

    def cancel() -> None:
        for one in cancels:
            one()

    return cancel


class Part(Protocol):
    """What a family of methods remembers of one client. `close` is called when the client is gone."""

    def __init__(self, node: Node) -> None: ...

    def close(self) -> None: ...


P = TypeVar("P", bound=Part)


class Client(Protocol):
    """Who asks: one WebSocket connection, or all HTTP requests together."""

    unsafe: bool
    """Whether it may call methods that are not safe."""

    def part(self, kind: type[P]) -> P:
        """What methods of one family remember of this client, made on first use."""
        ...

    def later(self, do: Callable[[], None]) -> None:
        """Do this once the answer to the current request is on its way."""
        ...


class Sink(Protocol):
    """Where a subscription sends its results."""

    ident: str
    """The id that the client knows the subscription by; nobody else can guess it."""
    client: Client

    def send(self, result: Json) -> None:
        """Queue one notification; after the end it does nothing."""
        ...

    def close(self) -> None:
        """End the subscription from the node's side: there is nothing more to say."""
        ...

    async def room(self) -> None:
        """Wait until the reader has caught up: for sources that could send without end."""
        ...


class Method(NamedTuple):
    """A plain method."""

    function: Callable[..., Json]
    parameters: tuple[Parameter, ...]
    unsafe: bool
    wants_client: bool

    def call(self, node: Node, client: Client, params: Json) -> Json:
        """Read the parameters and run; raises `RpcError`."""
        _refuse_unsafe(self.unsafe, client)
        values = bind(self.parameters, params)
        return self.function(node, client, *values) if self.wants_client else self.function(node, *values)


class Subscription(NamedTuple):
    """A method that opens a stream of notifications called `notification`."""

    function: Callable[..., Cancel]
    parameters: tuple[Parameter, ...]
    notification: str
    unsubscribe: str
    unsafe: bool

    def open(self, node: Node, sink: Sink, params: Json) -> Cancel:
        """Read the parameters and start; returns what stops it."""
        _refuse_unsafe(self.unsafe, sink.client)
        return self.function(node, sink, *bind(self.parameters, params))


def _refuse_unsafe(unsafe: bool, client: Client) -> None:
    if unsafe and not client.unsafe:
        raise unsafe_refused()


def unsafe_refused() -> RpcError:
    """What Substrate answers when `--rpc-methods` does not allow the call."""
    return RpcError(METHOD_NOT_FOUND, "RPC call is unsafe to be called externally")


METHODS: dict[str, Method] = {}
SUBSCRIPTIONS: dict[str, Subscription] = {}
UNSUBSCRIBE: dict[str, str] = {}
"""Each unsubscribe method with the notification that it ends."""


F = TypeVar("F", bound=Callable[..., Any])


def _unused(names: list[str]) -> list[str]:
    """The names; ValueError for one that the table has already: the later would silently replace it."""
    for name in names:
        if name in METHODS or name in SUBSCRIPTIONS or name in UNSUBSCRIBE:
            raise ValueError(f"the RPC method {name} is in the table twice")
    return names


def method(name: str, aliases: Sequence[str] = (), *, unsafe: bool = False) -> Callable[[F], F]:
    """Enter a function into the table under a name and its aliases."""

    def enter(function: F) -> F:
        wants_client = "client" in inspect.signature(function).parameters
        entry = Method(function, parameters(function, 2 if wants_client else 1), unsafe, wants_client)
        METHODS.update(dict.fromkeys(_unused([name, *aliases]), entry))
        return function

    return enter


def subscription(
    name: str,
    notification: str,
    unsubscribe: str,
    aliases: Sequence[str] = (),
    unsubscribe_aliases: Sequence[str] = (),
    *,
    unsafe: bool = False,
) -> Callable[[F], F]:
    """Enter a subscription, with the method that ends it."""

    def enter(function: F) -> F:
        entry = Subscription(function, parameters(function, 2), notification, unsubscribe, unsafe)
        opening, ending = _unused([name, *aliases]), _unused([unsubscribe, *unsubscribe_aliases])
        SUBSCRIPTIONS.update(dict.fromkeys(opening, entry))
        UNSUBSCRIBE.update(dict.fromkeys(ending, notification))
        return function

    return enter


def names(unsafe: bool = True) -> list[str]:
    """All that a client may call; without `unsafe`, what everybody may."""
    entries: dict[str, Method | Subscription] = {**METHODS, **SUBSCRIPTIONS}
    allowed = [name for name, entry in entries.items() if unsafe or not entry.unsafe]
    return sorted({*allowed, *UNSUBSCRIBE})
