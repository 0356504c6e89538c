"""Every limit of the front, and why it is what it is. Sizes in bytes, times in seconds."""

KIB = 1024

# What one request may be. Browsers and proxies send heads of 1 to 8 KiB; cookies of the whole site come with them.
URI_BYTES = 8 * KIB
HEAD_BYTES = 32 * KIB
HEADERS = 100
# The endpoints take 256 KiB (``common.http.strict_json``); decision logs of OPA servers come packed, up to 1 MiB, and
# the admin's own page says what is wrong with a form above 256 KiB.
BODY_BYTES = 256 * KIB
LARGE_BODY_BYTES = 1024 * KIB
# Tables that officers upload for a release: four of them at once stay below HELD_BYTES. Larger ones by command.
TABLE_BYTES = 64 * 1024 * KIB
# Kept in memory of one body; the rest goes to a temporary file, so that 2,000 slow bodies are 128 MiB and no more.
BODY_MEMORY_BYTES = 64 * KIB
# Chunk sizes, extensions and trailers are not body: this much of them, and six bytes for each byte of the body (which
# chunks of a single byte need), is what an honest client can send.
CHUNK_OVERHEAD_BYTES = 16 * KIB
CHUNK_OVERHEAD_FACTOR = 6
# A larger question is parsed by a pool's thread: reading JSON costs about 18 us a KiB.
LOOP_BODY_BYTES = 16 * KIB

# How long a client may take. Mobile networks lose seconds, not tens of them.
IDLE_S = 75.0  # between two requests; the usual 60 s of proxies and load balancers in front end first
HEAD_S = 10.0
BODY_S = 5.0
WRITE_STALL_S = 20.0  # without the kernel taking one more byte: its buffer alone takes 16 s at the pace below
# On top of the fixed times, a body or an answer may take its size at this pace.
SLOWEST_BYTES_PER_S = 16 * KIB
LINGER_S = 2.0  # reading on after a refusal, so that the client reads the answer instead of a reset
SWEEP_S = 0.5

# How much is read and written at once: the other connections wait for that.
READ_BYTES = 64 * KIB
WRITE_BYTES = 64 * KIB
# How long a process leaves a new connection to one that has fewer.
LEAVE_S = 0.005
# Connections accepted in one turn: one, so that the processes share the first ones evenly, and one more for every four
# there are, so that a flood of them is through in a few turns.
ACCEPT_GROWTH = 4
BACKLOG = 1_024
# The kernel's own buffer of an answer: with the default of 4 MiB, 64 slow readers hold 256 MiB of it.
SEND_BUFFER_BYTES = 128 * KIB

# Connections of one process. Above it the longest idle tenth is closed; accepting never stops.
CONNECTIONS = 2_000
SHED_SHARE = 10
SPARE_DESCRIPTORS = 200  # for database, spool, engines, temporary files

# Kept in memory of a streamed answer; a longer one is in a temporary file.
ANSWER_MEMORY_BYTES = 256 * KIB
# Bodies and answers that clients have not sent or taken whole, of one process, on disk and in memory: looked at with
# every sweep. Above it those that have taken longest end.
HELD_BYTES = 256 * 1024 * KIB

# How long the statement of a decision may take, as in every other thread (``policies.decisions.information``). Then all
# that wait for the connection are answered 503, and it is replaced.
STATEMENT_S = 1.0
RENEW_S = 1.0  # between two attempts to give the loop a new connection to the database

# A request that waited this long for a thread is refused: its caller has given up, or should.
QUEUE_S = 10.0
RETRY_AFTER_S = 1
THREAD_IDLE_S = 60.0  # then a pool's thread ends, and its connection to the database with it

# Ending: what is accepted is answered within this time; the launcher kills after ten seconds.
DRAIN_S = 8.0
