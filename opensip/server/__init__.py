"""The server: composition root, control socket, reload and drain."""

from opensip.server.server import Server

__all__ = ["Server"]
