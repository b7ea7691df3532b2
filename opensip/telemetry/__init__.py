"""What can be seen of calls: the ladder of a call, from its journal."""
