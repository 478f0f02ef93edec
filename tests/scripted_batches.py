"""A Batch API in OpenAI's form over real HTTP: files, batches that take some looks to end, and a script for each line."""

import json

from aiohttp import web

from tests.scripted_teacher import ScriptedTeacher


class ScriptedBatches(ScriptedTeacher):
    """Keeps its files and batches; `looks` GETs of a batch find it in progress."""

    def __init__(self, script, looks: int = 1) -> None:
        super().__init__(script)
        self.looks, self.files, self.batches, self.lines = looks, {}, {}, 0

    async def _reply(self, request: web.Request) -> web.Response:
        path = request.path.removeprefix("/v1")
        if path == "/files":
            form = await request.post()
            assert form["purpose"] == "batch"
            name = f"file-{len(self.files)}"
            self.files[name] = form["file"].file.read().decode()
            return web.json_response({"id": name})
        if path == "/batches" and request.method == "POST":
            order = await request.json()
            assert (order["endpoint"], order["completion_window"]) == ("/v1/chat/completions", "24h")
            batch = {"id": f"batch-{len(self.batches)}", "status": "in_progress", "left": self.looks} | order
            self.batches[batch["id"]] = batch
            return web.json_response(batch)
        if path == "/batches":
            return web.json_response({"data": list(self.batches.values())})
        if path.startswith("/batches/"):
            return web.json_response(self._look(self.batches[path.split("/")[2]]))
        return web.Response(text=self.files[path.split("/")[2]])

    def _look(self, batch: dict) -> dict:
        batch["left"] -= 1
        if batch["left"] < 0 and batch["status"] == "in_progress":
            answers = []
            for line in map(json.loads, self.files[batch["input_file_id"]].splitlines()):
                self.lines += 1
                status, body, _ = self.script(self.lines, line["body"])
                answers.append(
                    {"custom_id": line["custom_id"], "response": {"status_code": status, "body": body}, "error": None}
                )
            good = [one for one in answers if one["response"]["status_code"] == 200]
            for kind, lines in (("output", good), ("error", [one for one in answers if one not in good])):
                if lines:
                    self.files[f"{kind}-{batch['id']}"] = "".join(json.dumps(line) + "\n" for line in lines)
                    batch[f"{kind}_file_id"] = f"{kind}-{batch['id']}"
            batch["status"] = "completed"
        return batch
