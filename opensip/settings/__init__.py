"""TOML and environment become the frozen dataclasses that the rooms define."""
