"""The user agent core: calls in and out over the machines of `sip` and the sockets of `net`."""
