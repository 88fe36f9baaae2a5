"""The interface to people and machines over HTTP and websockets: REST, the feed, sign-in.

`api.app.create_app` puts the application together, `api.server.serve` runs it. A route is a module
of `api.routes`, who may use it stands in `api.rights.access`, and every error leaves as a problem
document (`api.problems`). The feed is `api.feed.hub` (the process's reader of the log) and
`api.feed.connection` (one reader's life).
"""
