"""Starts runs of a program by a fork instead of an exec, for the random lives: fork_server.c says how.

    with ForkServer(program) as server:
        process = server.start(["sync"], folder, environment)
        out, err = process.communicate(timeout=60)

A run is used as a subprocess.Popen of which both outputs are read.
"""

import array
import os
import select
import signal
import socket
import struct
import subprocess

from tests.support import printed
from tests.support.deployment import BUILD
from tests.support.killing import commit_shim

SERVER = BUILD / "tests" / "support" / "libfork_server.so"
NUMBER = struct.Struct("=i")


class ForkServer:
    """A program that stands in front of its main(), with a shim (that which kills at a commit); nothing has run yet."""

    def __init__(self, program, shim=None):
        self.program = program
        here, there = socket.socketpair()
        self._socket = here
        with there:
            there.set_inheritable(True)
            self._process = subprocess.Popen(
                [program], pass_fds=[there.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                env={"LD_PRELOAD": f"{shim or commit_shim()}:{SERVER}", "BQSYNC_FORK_SERVER": str(there.fileno())})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()
        self._process.wait()

    def start(self, arguments, folder, environment):
        return Run(self, [self.program, *arguments], folder, environment)

    def fork(self, command, folder, environment, outputs):
        """The process id of a new run."""
        texts = [folder, len(command), *command, *(f"{name}={value}" for name, value in environment.items())]
        rest = b"".join(os.fsencode(str(text)) + b"\0" for text in texts)
        self._socket.sendmsg([b"r" + NUMBER.pack(len(rest))],
                             [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", outputs))])
        self._socket.sendall(rest)
        return self._answer()

    def wait(self, pid):
        """Waits until a run has ended; its status of waitpid()."""
        self._socket.sendall(b"w" + NUMBER.pack(pid))
        return self._answer()

    def _answer(self):
        return NUMBER.unpack(self._socket.recv(NUMBER.size, socket.MSG_WAITALL))[0]


class Run:
    def __init__(self, server, command, folder, environment):
        printed.ran()
        printed.secrets_of(environment, folder)
        self._server = server
        self._what = " ".join(map(str, command[:2]))
        self._outputs = [open(os.memfd_create(name), "r+b") for name in ("stdout", "stderr")]
        self.returncode = None
        self.pid = server.fork(command, folder, environment, [output.fileno() for output in self._outputs])
        self._ended = os.pidfd_open(self.pid)

    def poll(self):
        """The exit status, a signal's number below zero, or None if the run goes on."""
        return self._wait(0)

    def wait(self, timeout=None):
        if self._wait(timeout) is None:
            raise subprocess.TimeoutExpired(self._what, timeout)
        return self.returncode

    def _wait(self, timeout):
        if self.returncode is None and select.select([self._ended], [], [], timeout)[0]:
            self.returncode = os.waitstatus_to_exitcode(self._server.wait(self.pid))
            os.close(self._ended)
        return self.returncode

    def send_signal(self, number):
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self):
        self.send_signal(signal.SIGKILL)

    def communicate(self, timeout=None):
        self.wait(timeout)
        out, err = map(self._read, self._outputs)
        printed.keep("bqsync", self._what, out, err)
        return out, err

    @staticmethod
    def _read(output):
        with output:
            output.seek(0)
            return output.read().decode()
