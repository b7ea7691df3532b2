"""The sockets of signalling: UDP, TCP and TLS, and the names behind them."""
