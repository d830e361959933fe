"""The sub-commands of `petition`, one module each."""
