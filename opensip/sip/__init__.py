"""RFC 3261 without I/O: values come in, values go out, the caller holds sockets and clock."""
