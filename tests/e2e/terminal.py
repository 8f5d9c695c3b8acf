"""Commands as a person at a terminal sees them."""

import fcntl
import os
import pty
import struct
import termios

from tests.support import printed


def run(app, rows, columns, *arguments):
    """The exit status of the command on a terminal of that size, and all that it wrote there."""
    pid, descriptor = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.chdir(app.folder)
        os.execve(app.program, [app.program, *arguments], {**app.environment, "BQ_LOG_LEVEL": "error"})
    seen = b""
    while True:
        try:
            piece = os.read(descriptor, 65536)
        except OSError:
            break
        if not piece:
            break
        seen += piece
    _, status = os.waitpid(pid, 0)
    os.close(descriptor)
    printed.keep("bqsync", " ".join(["bqsync", *arguments]) + ", on a terminal", seen)
    return os.waitstatus_to_exitcode(status), seen.decode()
