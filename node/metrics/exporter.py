"""The Prometheus endpoint: `GET /metrics` on a port of its own."""

from __future__ import annotations

import errno
import logging
import time

from node.errors import PortTaken
from node.http import web
from node.metrics.report import families
from node.metrics.series import text
from node.service import Node

log = logging.getLogger("prometheus")

FORM = "text/plain; version=0.0.4; charset=utf-8"


class Exporter:
    """Listens from `start` to `stop`."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._started = time.time()
        self._runner: web.AppRunner | None = None
        self.port = 0

    async def start(self, host: str, port: int) -> None:
        """Listen; raises `PortTaken`. Port 0 takes a free one."""
        app = web.Application()
        app.router.add_get("/metrics", self._metrics)
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            await runner.cleanup()
            if error.errno == errno.EADDRINUSE:
                raise PortTaken(
                    f"port {port} is taken by another program; choose one with --prometheus-port"
                ) from None
            raise
        self._runner = runner
        self.port = runner.addresses[0][1]
        log.info("〽️ Prometheus exporter started at %s:%d", host, self.port)

    async def stop(self) -> None:
        """Close the port."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _metrics(self, request: web.Request) -> web.Response:
        body = text(families(self._node, self._started)).encode()
        return web.Response(body=body, headers={"Content-Type": FORM})
