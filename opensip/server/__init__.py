"""The server: composition root, control socket, reload and drain."""
