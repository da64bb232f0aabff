"""A daemon that is a script: it answers with what it was given, for tests of what is made of it."""

import json
import socket
import threading


class Script:
    """Serves answers by method: a value, or a function of the parameters. `events` follow `follow`."""

    def __init__(self, path, answers, events=()):
        self.answers = answers
        self.events = events
        self.calls = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=[client], daemon=True).start()

    def _serve(self, client):
        with client, client.makefile("rb") as lines:
            for line in lines:
                request = json.loads(line)
                method, params = request["method"], request.get("params", {})
                self.calls.append((method, params))
                answer = self.answers[method]
                result = answer(params) if callable(answer) else answer
                self._send(client, {"id": request["id"], "result": result})
                if method == "follow":
                    for event in self.events:
                        self._send(client, {"method": "event", "params": event})

    @staticmethod
    def _send(client, message):
        client.sendall(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")

    def end(self):
        self.listener.close()
