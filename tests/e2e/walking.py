"""A person at a terminal and at a browser: for tests that walk through the product as its users do.

    walk = Walk("engineer", folder, environment)
    seen = walk.type("./bqsync sync", status=0)       # in a pseudo-terminal; .text is what stands there in the end
    walk.look(page, "the dashboard")                  # a page of a headless Chromium

Everything that the person types and sees is written to a transcript (build/walks/NAME.txt), to be read by eye.
"""

import fcntl
import os
import pathlib
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import threading
import time

from tests.support import printed

BUILD = pathlib.Path(os.environ.get("BQSYNC_BUILD", "build")).resolve()
WALKS = BUILD / "walks"
COLUMNS, LINES = 120, 50
SECONDS = 900
ESCAPE = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])")


def screen(output):
    """What stands on the terminal after an output: the lines, with what was written over them gone."""
    lines, row, column, at = [[]], 0, 0, 0
    while at < len(output):
        if match := ESCAPE.match(output, at):
            number = int(match[1]) if match[1].isdigit() else 1
            if match[2] == "A":
                row = max(0, row - number)
            elif match[2] == "K":
                del lines[row][column:]
            elif match[2] == "J":
                del lines[row][column:]
                del lines[row + 1:]
            at = match.end()
            continue
        character = output[at]
        at += 1
        if character == "\r":
            column = 0
        elif character == "\n":
            row += 1
            column = 0
            if row == len(lines):
                lines.append([])
        elif character >= " ":
            lines[row] += " " * (column - len(lines[row]))
            lines[row][column:column + 1] = character
            column += 1
    return "\n".join("".join(line).rstrip() for line in lines).rstrip("\n")


class Seen:
    """What a command left on the terminal."""

    def __init__(self, output, status):
        self.output = output
        self.text = screen(output)
        self.status = status

    @property
    def coloured(self):
        return re.search(r"\x1b\[[0-9;]*[1-9][0-9;]*m", self.output) is not None


class Terminal:
    """A command in a pseudo-terminal of its own."""

    def __init__(self, command, folder, environment):
        main, inside = pty.openpty()
        fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        self._process = subprocess.Popen(["sh", "-c", command], cwd=folder, env={**environment, "TERM": "xterm-256color"},
                                         stdin=inside, stdout=inside, stderr=inside, start_new_session=True)
        os.close(inside)
        self._main = main
        self._data = b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        while True:
            try:
                chunk = os.read(self._main, 65536)
            except OSError:  # the last program of the terminal is gone
                return
            if not chunk:
                return
            self._data += chunk

    @property
    def output(self):
        return self._data.decode(errors="replace")

    def wait_for(self, text):
        end = time.monotonic() + SECONDS
        while text not in self.output:
            if self._process.poll() is not None or time.monotonic() > end:
                raise AssertionError(f"no {text!r} in\n{self.output}")
            time.sleep(0.02)

    def interrupt(self):
        """Ctrl-C."""
        os.killpg(self._process.pid, signal.SIGINT)

    def end(self):
        """Waits until the command has ended; what is on its terminal."""
        try:
            status = self._process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            raise AssertionError(f"does not end:\n{self.output}") from None
        # What it has left running keeps the terminal open: only what has been written by now counts.
        while select.select([self._main], [], [], 0.05)[0] and self._reader.is_alive():
            time.sleep(0.02)
        self._reader.join(0.2)
        return Seen(self.output, status)

    def close(self):
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
            self._process.wait(SECONDS)
        self._reader.join(1)
        printed.keep("bqsync", "a terminal", self.output)
        if not self._reader.is_alive():
            os.close(self._main)


class Walk:
    def __init__(self, test, name, folder, environment):
        printed.ran()
        WALKS.mkdir(parents=True, exist_ok=True)
        self.path = WALKS / f"{name}.txt"
        self.path.write_text("")
        self._test = test
        self.folder = folder
        self.environment = environment
        print(f"\nthe walk is written to {self.path}", flush=True)

    def _write(self, *lines):
        with open(self.path, "a") as file:
            file.write("\n".join(lines) + "\n")

    def note(self, text):
        """What the person wants now, or does elsewhere."""
        self._write("", f"# {text}")

    def type(self, command, status=0, **environment):
        """A command to its end, which has to be with this status, or one of these."""
        terminal = Terminal(command, self.folder, {**self.environment, **environment})
        self._test.addCleanup(terminal.close)
        seen = terminal.end()
        self._write(f"$ {command}", *([seen.text] if seen.text else []),
                    *([f"(exit status {seen.status})"] if seen.status else []))
        self._test.assertIn(seen.status, status if isinstance(status, tuple) else (status,), f"{command}\n{seen.text}")
        return seen

    def start(self, command, ready, **environment):
        """A command in another terminal, once it says that it is ready."""
        terminal = Terminal("exec " + command, self.folder, {**self.environment, **environment})
        self._test.addCleanup(terminal.close)
        terminal.wait_for(ready)
        self._write(f"$ {command}      # in another terminal", screen(terminal.output))
        return terminal

    def stop(self, terminal):
        """Ctrl-C in the other terminal."""
        terminal.interrupt()
        seen = terminal.end()
        self._write("^C in the other terminal, where stands now:", seen.text)
        return seen

    def write(self, name, text):
        """A file that the person writes in an editor."""
        path = self.folder / name
        path.write_text(text)
        self._write(f"(edits {name})", *("    " + line for line in text.splitlines()))

    def look(self, page, what):
        """The words on a page in the browser."""
        text = page.run("document.body.innerText")
        self._write(f"[in the browser: {what}, titled \"{page.run('document.title')}\"]",
                    *("    " + line for line in text.splitlines() if line.strip()))
        return text
