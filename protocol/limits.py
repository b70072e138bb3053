"""Every limit of the wire, with a name and a reason. Sizes in bytes, times in seconds."""

FRAME_BYTES_MAX = 256 * 1024  # one frame of the router link; larger ones would delay heartbeats behind them
FRAME_PACKETS_MAX = FRAME_BYTES_MAX // 16  # none takes fewer bytes; 256 KiB of nothings took a second
FRAME_LOOKS_MAX = 64  # packets of a frame that are asked what is wrong with them: it takes ten times as long
PACKET_BYTES_MAX = 64 * 1024  # a larger packet crosses as parts, interleaved with others
WHOLE_PACKET_BYTES_MAX = 20 * 1024 * 1024  # what parts may add up to: a JSON body and its envelope
PARTS_OPEN_MAX = 256  # half-received packets a peer may keep us holding
PARTS_BYTES_MAX = 128 * 1024 * 1024  # and what they may add up to; senders keep within both
NAME_CHARACTERS_MAX = 128  # of an agent, a page, a request; ours take 49 at most, and many are remembered
DEPTH_MAX = 64  # nesting of any document from outside
HELLO_BYTES_MAX = 4 * 1024 * 1024  # the statuses of 50,000 agents; from a peer that has not proved itself yet
REQUESTS_OPEN_MAX = 10_000  # requests of one router that wait for the daemon
STREAMS_MAX = 20_000  # agents with live updates, per direction of one link
STREAM_UNACKED_MAX = 256  # updates of one agent that the other side has not confirmed
STREAM_UNACKED_BYTES_MAX = 4 * 1024 * 1024  # and what they may add up to; one may be larger
STREAM_WINDOW = 64  # updates of one agent held while an earlier one is missing
STREAM_WINDOWS_BYTES_MAX = 32 * 1024 * 1024  # and of all together, which come in order but for what was bad
STATES_MAX = 20_000  # agents whose last status is told again after a reconnect; the oldest are forgotten
LINK_HELD_BYTES_MAX = 256 * 1024 * 1024  # unanswered requests and unconfirmed updates; these at most a half
LINK_QUEUE_BYTES_MAX = 64 * 1024 * 1024  # what waits for a peer that reads too slowly

HEADER_BYTES_MAX = 16 * 1024
JSON_BODY_BYTES_MAX = 16 * 1024 * 1024  # long annotations are megabytes; see W14 of the domain notes
JSON_CONTAINERS_MAX = 500_000  # lists and objects: two hours of where the mouse is, 60 times a second
PACKET_CONTAINERS_MAX = JSON_CONTAINERS_MAX + 100  # and those around a body; some take 200 bytes, of one each
FILE_BYTES_MAX = 64 * 1024 * 1024
FILES_PER_SUBMISSION_MAX = 16
FORM_FIELDS_MAX = 64
FILE_NAME_BYTES_MAX = 255
BUNDLE_BYTES_MAX = 64 * 1024 * 1024
BUNDLE_FILES_MAX = 5_000
BUNDLE_UNPACKED_BYTES_MAX = 256 * 1024 * 1024

BROWSER_FRAME_BYTES_MAX = 256 * 1024
SOCKET_QUEUE_PACKETS_MAX = 1_000  # waiting for one browser, which may be owed STREAM_UNACKED_MAX at once
SOCKET_QUEUE_BYTES_MAX = (
    32 * 1024 * 1024
)  # and as JSON, several times what STREAM_UNACKED_BYTES_MAX lets wait
SOCKET_STRIKES_MAX = 3  # bad packets before a browser's socket is closed with 1008
SOCKET_UNREGISTERED_S = 10.0  # a socket that never says whose it is
SOCKETS_MAX = 20_000
SOCKETS_PER_ADDRESS_MAX = 2_000  # a lecture hall behind one address is normal
REGISTRATIONS_PER_ADDRESS_PER_MINUTE_MAX = 3_000
SOCKET_PACKETS_PER_S_MAX = 50.0
SOCKET_PACKETS_BURST_MAX = 500.0
SOCKET_BYTES_PER_S_MAX = 2.0 * 1024 * 1024
SOCKET_BYTES_BURST_MAX = 32.0 * 1024 * 1024  # what crowdd.js may have in flight, each as large as may be

REQUEST_HOLD_S = 30.0  # how long a registration waits for the daemon before "try again"
SUBMIT_HOLD_S = 60.0  # how long a submission waits for the daemon before 503
RETRY_AFTER_S = 5  # what "try again in N s" says
PAUSED_RETRY_AFTER_S = 30  # the same while staff have paused a run: pauses are made for minutes, not moments
HEARTBEAT_S = 4.0  # the daemon asks each router for its statuses this often
LINK_SILENT_S = 15.0  # a link on which nothing came for so long is dead
HELLO_S = 10.0  # a handshake that takes longer has failed
PAGES_CALM_S = 120.0  # pages are told "the daemon lives" for so long after the link was lost
PAGE_SILENT_S = 15.0  # a live agent's page that sent no heartbeat for so long is not present
PAGE_CLOSED_S = 10.0  # a page that was closed and not opened again for so long is closed for good
