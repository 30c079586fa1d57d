"""The commands of `plazo`, each a function of its own module."""
