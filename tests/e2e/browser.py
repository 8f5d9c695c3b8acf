"""Drives a headless Chromium over its debugging pipe (Chrome DevTools Protocol), standard library only.

    with Browser() as browser:
        page = browser.open("http://127.0.0.1:8001/")
        page.wait("document.querySelector('h1').textContent === 'In sync'")
"""

import base64
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Longer than anything takes on a busy machine.
DEADLINE_SECONDS = 120


def program():
    return next((path for name in PROGRAMS if (path := shutil.which(name))), None)


class Browser:
    def __enter__(self):
        self._profile = tempfile.TemporaryDirectory(prefix="bqsync-chromium-", ignore_cleanup_errors=True)
        to_read, self._to = os.pipe()
        self._from, from_write = os.pipe()
        # It reads commands from descriptor 3 and writes answers to 4.
        self._process = subprocess.Popen(
            ["sh", "-c", f'exec "$@" 3<&{to_read} 4>&{from_write}', "sh", program(), "--headless",
             "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe",
             "--no-first-run", "--disable-background-networking", "--hide-scrollbars",
             f"--user-data-dir={self._profile.name}", "about:blank"],
            pass_fds=(to_read, from_write), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(from_write)
        self._answers = {}
        self._pages = {}
        self._next = 0
        self._changed = threading.Condition()
        self._ended = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *_):
        try:
            self.send("Browser.close")
        except (OSError, RuntimeError, TimeoutError):
            self._process.kill()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(10)
        os.close(self._to)
        os.close(self._from)
        self._profile.cleanup()

    def _read(self):
        data = b""
        while chunk := os.read(self._from, 65536):
            data += chunk
            while b"\0" in data:
                text, data = data.split(b"\0", 1)
                self._take(json.loads(text))
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _take(self, message):
        with self._changed:
            if "id" in message:
                self._answers[message["id"]] = message
            elif page := self._pages.get(message.get("sessionId")):
                page.events.append(message)
            self._changed.notify_all()

    def send(self, method, session=None, timeout=DEADLINE_SECONDS, **parameters):
        with self._changed:
            self._next += 1
            number = self._next
        message = {"id": number, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        with self._changed:
            if not self._changed.wait_for(lambda: number in self._answers or self._ended, timeout):
                raise TimeoutError(method)
            if number not in self._answers:
                raise RuntimeError("the browser has ended")
            answer = self._answers.pop(number)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def open(self, url, width=1280, height=900, dark=False, script=None):
        """script: JavaScript that runs before any of the page's own."""
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session)
        self._pages[session] = page
        for domain in ("Runtime", "Log", "Page", "Network"):
            page.send(domain + ".enable")
        page.resize(width, height)
        page.send("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        if script is not None:
            page.send("Page.addScriptToEvaluateOnNewDocument", source=script)
        page.send("Page.navigate", url=url)
        return page


class Page:
    def __init__(self, browser, session):
        self._browser = browser
        self._session = session
        self.events = []

    def send(self, method, **parameters):
        return self._browser.send(method, self._session, **parameters)

    def resize(self, width, height=900):
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                  mobile=width < 700)

    def run(self, expression):
        """The value of a JavaScript expression, awaited."""
        result = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(json.dumps(result["exceptionDetails"])[:2000])
        return result["result"].get("value")

    def wait(self, expression, timeout=DEADLINE_SECONDS):
        """Until the expression is true."""
        end = time.monotonic() + timeout
        while True:
            try:
                if self.run(f"Boolean({expression})"):
                    return
            except RuntimeError:
                pass
            if time.monotonic() > end:
                raise TimeoutError(f"{expression} in\n{self.run('document.body.innerText')}")
            time.sleep(0.05)

    def text(self, selector):
        return self.run(f"document.querySelector({json.dumps(selector)}).textContent")

    def click(self, selector):
        """With the mouse, where the element is; once more if the page moved the element away meanwhile."""
        node = f"document.querySelector({json.dumps(selector)})"
        end = time.monotonic() + DEADLINE_SECONDS
        while True:
            box = self.run(f"(() => {{ const node = {node}; window.clickArrived = false;"
                           " node.addEventListener('click', () => { window.clickArrived = true; }, {capture: true});"
                           " node.scrollIntoView({block: 'center'}); const r = node.getBoundingClientRect();"
                           " return [r.x + r.width / 2, r.y + r.height / 2]; })()")
            for kind in ("mousePressed", "mouseReleased"):
                self.send("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)
            if self.run("window.clickArrived"):
                return
            if time.monotonic() > end:
                raise TimeoutError(f"no click arrives at {selector} in\n{self.run('document.body.innerText')}")
            time.sleep(0.05)

    def type(self, text):
        self.send("Input.insertText", text=text)

    def press(self, key, code=13):
        for kind in ("keyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code, text="\r")

    def problems(self):
        """What a developer would see in red in the console."""
        found = []
        for event in list(self.events):
            parameters = event["params"]
            if event["method"] == "Runtime.exceptionThrown":
                found.append(json.dumps(parameters["exceptionDetails"])[:500])
            elif event["method"] == "Log.entryAdded" and parameters["entry"]["level"] in ("error", "warning"):
                found.append(parameters["entry"]["text"])
            elif event["method"] == "Runtime.consoleAPICalled" and parameters["type"] in ("error", "warning"):
                found.append(json.dumps(parameters["args"])[:500])
        return found

    def requested(self):
        """Every address that was asked for."""
        return [event["params"]["request"]["url"] for event in list(self.events)
                if event["method"] == "Network.requestWillBeSent"]

    def screenshot(self, path, whole=False):
        """Of what is in view, or of the whole page."""
        data = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))
