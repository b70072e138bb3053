"""Limits that only the router knows, each with its reason; those of the wire are `protocol.limits`."""

BODIES_BYTES_MAX = 512 * 1024 * 1024  # of all requests that are being read or wait for the daemon
BODIES_SHARES = 4  # one address holds at most this part of them, so that it cannot shut everybody out
UPLOAD_BYTES_MAX = 256 * 1024 * 1024  # one multipart body, all files together
UPLOADS_AT_ONCE_MAX = 16  # bodies being written to disk; more would starve the pages
UPLOAD_TURN_S = 30.0  # how long a form waits for its turn before "try again"
UPLOADS_KEPT_BYTES_MAX = 8 * 1024 * 1024 * 1024  # of one run, until the daemon has fetched them
UPLOAD_KEPT_S = 3600.0  # a file that no open submission names any more
DISK_RESERVE_BYTES = 256 * 1024 * 1024  # what must stay free, so that logs and keys can still be written
BODY_SILENT_S = 20.0  # a body of which nothing came for so long
BODY_TOTAL_S = 600.0  # 64 MiB over a bad telephone line
DRAIN_BYTES_MAX = 128 * 1024 * 1024  # of a refused body, read so that its sender sees the answer
DRAIN_S = 30.0
TICKETS_PER_AGENT_MAX = 16  # requests of one agent that wait for the daemon
FINAL_STATUS_KEPT_S = 600.0  # how long the last word about an agent without a page is remembered
SOCKET_SILENT_S = 90.0  # a page sends a heartbeat every 6 s; phones sleep a little
LINK_FAILURES_PER_ADDRESS_PER_MINUTE_MAX = 30  # guesses at the secret; an honest daemon backs off
LOG_ERRORS_PER_ADDRESS_PER_MINUTE_MAX = 600  # a page that fails for a whole lecture hall
LOG_ERROR_BYTES_MAX = 256 * 1024  # a stack and its surroundings
RUNS_MAX = 1_000  # runs on one router; each keeps its pages in memory
TICK_S = 0.25  # how exact held answers and silent sockets are timed
SEND_S = 20.0  # a browser or daemon that takes nothing for so long is gone
END_S = 4.0  # what open connections get after SIGTERM
SWEEP_S = 600.0  # how often forgotten uploads are looked for
BACKLOG = 2048  # connections that wait to be accepted when a lecture hall opens its laptops
HEADER_S = 10.0  # from a request's first byte to the end of its headers
KEEP_ALIVE_S = 75.0  # an idle connection; longer than the proxies in front of us keep theirs
