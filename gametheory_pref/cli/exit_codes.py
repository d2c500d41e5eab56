"""What the exit code says."""

DONE = 0
FALSE = 1
USAGE = 2
INCONCLUSIVE = 3
INTERRUPTED = 130
