"""opensip: the telephone call answered by an AI agent, from SIP trunk to human hand-over."""

from importlib.metadata import version

__all__ = ["__version__"]

__version__ = version("opensip-agent")
