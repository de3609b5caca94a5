"""`node.http` enters aiohttp without its client; whoever wants the client still gets it."""

import subprocess
import sys

import pytest

from tests.running_node import ROOT

SERVER_ALONE = """
import sys
import node.front.worker, node.rpc.server, node.metrics.exporter
assert "aiohttp.web" in sys.modules
assert "aiohttp.client" not in sys.modules, "the client was loaded"
"""
CLIENT_AFTER = {
    "attribute": "import node.http, aiohttp; assert aiohttp.ClientSession.__module__ == 'aiohttp.client'",
    "from": "import node.http; from aiohttp import ClientSession as C, WSMsgType; assert C and WSMsgType",
    "module": "import node.http, aiohttp.client, aiohttp; assert aiohttp.ClientSession",
    "star": "import node.http; from aiohttp import *; assert ClientSession",
    "unknown": "import node.http, aiohttp; assert not hasattr(aiohttp, 'no_such_name')",
    "before": "import aiohttp, node.http; assert aiohttp.web is node.http.web and aiohttp.ClientSession",
}


def run(code: str) -> None:
    subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=ROOT, check=True, timeout=60)


def test_the_server_does_not_load_the_client() -> None:
    run(SERVER_ALONE)


@pytest.mark.parametrize("how", CLIENT_AFTER)
def test_the_client_is_there_for_whoever_asks(how: str) -> None:
    run(CLIENT_AFTER[how])
