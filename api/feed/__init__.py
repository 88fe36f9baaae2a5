"""The feed: one reader of the log a process, and all who follow it, whatever the protocol."""
