"""Media: engines that move packets, the session that negotiates them, ports and recordings."""
