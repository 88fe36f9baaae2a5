"""Our own receiver for RTSP over TCP with H.264 and H.265: many cameras on one event loop.

A camera is opened in its own thread (`open_session`: the talking, the signing in, the redirects),
then its socket goes to the loop's one thread (`ReceiverLoop`), which reads it in big gulps, cuts
the bytes into pictures without copying them (`WireCutter`, `PictureInPieces`), and hands them to
the camera's thread a batch at a time. What this doesn't speak is `Unspoken` and left to FFmpeg.
"""
