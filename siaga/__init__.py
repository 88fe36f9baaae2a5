"""The roles put together: command line, supervisor, worker, fusion, demonstration."""
