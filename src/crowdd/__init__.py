"""crowdd runs crowd work: it launches task runs, lets workers in and keeps every answer."""

__version__ = "0.1.0"
