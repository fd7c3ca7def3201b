"""A proxy between browser and site that can misbehave: refuse upgrades, cut connections, swallow bytes."""

from __future__ import annotations

import contextlib
import select
import socket
import threading

REFUSAL = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Proxy:
    """Forwards TCP to `port`, which may change. Set `upgrades` or `swallow` at any time; `cut` ends what is open,
    `lose` lets websockets lead nowhere.

    upgrades: whether a request to upgrade to a websocket goes through (else 400, as from an old proxy).
    swallow: whether bytes vanish in both directions while the connections stay open, as on a dead line.
    """

    def __init__(self, port: int) -> None:
        self.upgrades = True
        self.swallow = False
        self.refused = 0
        self.port = port
        self._open: set[socket.socket] = set()
        self._upgraded: set[socket.socket] = set()
        self._lost: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """End every open connection at once."""
        for end in list(self._open):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def lose(self) -> None:
        """Open websockets lead nowhere from now on, without a word to either end; new connections work."""
        self._lost |= self._upgraded

    def close(self) -> None:
        """End the proxy."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            head = self._head(client)
            upgrade = b"\nupgrade:" in head.lower()
            if upgrade and not self.upgrades:
                self.refused += 1
                client.sendall(REFUSAL)
                return
            with socket.create_connection(("127.0.0.1", self.port)) as server:
                self._open |= {client, server}
                self._upgraded |= {client, server} if upgrade else set()
                try:
                    server.sendall(head)
                    self._pipe(client, server)
                finally:
                    self._open -= {client, server}

    def _head(self, client: socket.socket) -> bytes:
        """The first request's head; an upgrade always comes on a connection of its own."""
        head = b""
        while b"\r\n\r\n" not in head and (more := client.recv(65536)):
            head += more
        return head

    def _pipe(self, client: socket.socket, server: socket.socket) -> None:
        while True:
            for end in select.select([client, server], [], [])[0]:
                data = end.recv(65536)
                if not data:
                    return
                if not self.swallow and end not in self._lost:
                    (server if end is client else client).sendall(data)
